//! Bodies as they stand in a transcript: readable, and without secrets.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::redaction;

/// A body, by what it consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// Nothing.
    Empty,
    /// A JSON document.
    Json(Value),
    /// The fields of a query, by their paths (`Subnets.member.1`).
    Form(BTreeMap<String, String>),
    /// XML, or whatever else is a text.
    Text(String),
    /// Anything else, in base64.
    Base64(String),
}

impl Body {
    /// Reads a body by its content type, and takes secrets out.
    pub(super) fn read(content_type: &str, bytes: &[u8]) -> Self {
        let Ok(text) = str::from_utf8(bytes) else { return Self::Base64(BASE64.encode(bytes)) };
        if bytes.is_empty() {
            return Self::Empty;
        }
        if content_type.contains("cbor") {
            return Self::Base64(BASE64.encode(bytes));
        }
        if content_type.contains("x-www-form-urlencoded") {
            return Self::Form(redaction::of_form(form_urlencoded::parse(bytes).into_owned().collect()));
        }
        // EFS and errors do not always say that they are JSON.
        match serde_json::from_str(text) {
            Ok(value) => Self::Json(redaction::of_json(value)),
            Err(_) => Self::Text(redaction::of_xml(text)),
        }
    }

    /// The bytes to send it again.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Empty => Vec::new(),
            Self::Json(value) => value.to_string().into_bytes(),
            Self::Form(fields) => {
                form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
            }
            Self::Text(text) => text.clone().into_bytes(),
            Self::Base64(text) => BASE64.decode(text.as_bytes()).unwrap_or_default(),
        }
    }
}

/// The error code of an answer, wherever its protocol writes it; nothing when the answer is no error.
pub fn error_code(status: u16, header: Option<&str>, body: &[u8]) -> Option<String> {
    if status < 300 {
        return None;
    }
    let text = String::from_utf8_lossy(body);
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let in_json = ["__type", "code", "Code", "ErrorCode"].iter().find_map(|key| json[key].as_str());
    let in_xml = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    let code = in_json.or(in_xml).or(header).unwrap_or("Unknown");
    // `com.amazonaws.ecs#ClientException` and `ClientException:http://…` both mean the last name.
    let code = code.split(':').next().unwrap_or(code);
    Some(code.rsplit('#').next().unwrap_or(code).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_comes_back_as_it_was_sent() {
        let sent = "Action=CreateRole&AssumeRolePolicyDocument=%7B%22a%22%3A%20%22%E5%A4%A9%22%7D&Description=a+b%26c";
        let Body::Form(fields) = Body::read("application/x-www-form-urlencoded", sent.as_bytes()) else {
            panic!("it was no form")
        };
        assert_eq!(fields["AssumeRolePolicyDocument"], r#"{"a": "天"}"#);
        assert_eq!(fields["Description"], "a b&c");
        let again = Body::Form(fields.clone()).bytes();
        assert_eq!(Body::read("application/x-www-form-urlencoded", &again), Body::Form(fields));
    }

    #[test]
    fn an_error_code_is_found_in_every_protocol() {
        let code = |header, body: &str| error_code(400, header, body.as_bytes()).unwrap();
        assert_eq!(code(None, r#"{"__type": "com.amazonaws.ecs#ClientException"}"#), "ClientException");
        assert_eq!(
            code(None, "<Response><Errors><Error><Code>InvalidGroup.Duplicate</Code>"),
            "InvalidGroup.Duplicate"
        );
        assert_eq!(code(Some("FileSystemInUse:http://x"), "{}"), "FileSystemInUse");
        assert_eq!(code(None, ""), "Unknown");
        assert_eq!(error_code(200, None, b"{}"), None);
    }

    #[test]
    fn what_is_no_text_survives() {
        let body = Body::read("application/cbor", &[0xa1, 0xff, 0]);
        assert_eq!(body.bytes(), [0xa1, 0xff, 0]);
        assert_eq!(Body::read("text/xml", b""), Body::Empty);
    }
}
