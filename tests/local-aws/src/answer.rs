//! An answer on its way back to the SDK, and AWS's way of saying no in each protocol.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use crate::call::Protocol;
use crate::{cbor, xml};

/// A refusal, in AWS's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The error code.
    pub code: String,
    /// The sentence.
    pub message: String,
}

impl Refusal {
    /// A refusal because of what was asked.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.to_owned(), message: message.into() }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The content type, and the error's type where it travels in a header.
    pub headers: Vec<(String, String)>,
    /// The body; that of a CBOR answer is kept as JSON until it leaves.
    pub body: String,
}

impl Answer {
    /// A JSON answer.
    pub fn json(body: &Value) -> Self {
        let content_type = ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned());
        Self { status: 200, headers: vec![content_type], body: body.to_string() }
    }

    /// A CBOR answer.
    pub fn cbor(body: &Value) -> Self {
        let headers = [("content-type", cbor::CONTENT_TYPE), ("smithy-protocol", "rpc-v2-cbor")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { status: 200, headers: headers.into(), body: body.to_string() }
    }

    /// An XML answer of a query service or EC2.
    pub fn xml(body: impl Into<String>) -> Self {
        let content_type = ("content-type".to_owned(), "text/xml".to_owned());
        Self { status: 200, headers: vec![content_type], body: body.into() }
    }

    /// A refusal as the protocol writes it.
    pub fn refusal(protocol: Protocol, refusal: &Refusal) -> Self {
        let Refusal { status, code, message } = refusal;
        let escaped = message.replace('&', "&amp;").replace('<', "&lt;");
        let (content_type, body) = match protocol {
            Protocol::Ec2 => (
                "text/xml",
                format!(
                    "<Response><Errors><Error><Code>{code}</Code><Message>{escaped}</Message></Error></Errors>\
                     <RequestID>simulated</RequestID></Response>"
                ),
            ),
            Protocol::Query | Protocol::RestXml => (
                "text/xml",
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escaped}</Message></Error>\
                     <RequestId>simulated</RequestId></ErrorResponse>"
                ),
            ),
            Protocol::Json => ("application/x-amz-json-1.1", json!({"__type": code, "message": message}).to_string()),
            Protocol::RestJson => ("application/json", json!({"ErrorCode": code, "Message": message}).to_string()),
            Protocol::Cbor => (cbor::CONTENT_TYPE, json!({"__type": code, "message": message}).to_string()),
        };
        let headers =
            vec![("content-type".to_owned(), content_type.to_owned()), ("x-amzn-errortype".to_owned(), code.clone())];
        Self { status: *status, headers, body }
    }

    /// Whether it is not an error.
    pub fn is_ok(&self) -> bool {
        self.status < 300
    }

    /// The body as JSON, or null.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// Changes the JSON body.
    pub fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        let mut value = self.value();
        change(&mut value);
        self.body = value.to_string();
    }

    /// The texts of all XML elements of a name, from anywhere in the body.
    pub fn elements(&self, name: &str) -> Vec<&str> {
        xml::parts(&self.body, name)
    }

    /// The text of the first XML element of a name.
    pub fn element(&self, name: &str) -> &str {
        self.elements(name).first().copied().unwrap_or_default()
    }

    pub(crate) fn into_response(self) -> HttpResponse {
        let status = StatusCode::try_from(self.status).expect("the simulation answers with valid statuses");
        let is_cbor = self.headers.iter().any(|(_, value)| value == cbor::CONTENT_TYPE);
        let body = if is_cbor { SdkBody::from(cbor::write(&self.value())) } else { SdkBody::from(self.body) };
        let mut response = HttpResponse::new(status, body);
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
