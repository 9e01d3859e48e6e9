//! What must never stand in a transcript, and what would only swell it.

use std::collections::BTreeMap;

use serde_json::Value;

/// What stands in place of a secret.
const REDACTED: &str = "(redacted)";

/// Names of fields that hold secrets in any service, in lower case.
const SECRETS: [&str; 8] = [
    "authorizationtoken",
    "password",
    "plaintext",
    "secretaccesskey",
    "secretbinary",
    "secretstring",
    "sessiontoken",
    // Whoever has it is in the session that ECS opened in a task.
    "tokenvalue",
];

/// The bytes of image layers: megabytes that tell nothing.
const BULK: &str = "layerpartblob";

fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name.to_ascii_lowercase().as_str())
}

pub(super) fn of_json(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = of_field(&name, value);
                (name, value)
            })
            .collect(),
        Value::Array(elements) => elements.into_iter().map(of_json).collect(),
        plain => plain,
    }
}

fn of_field(name: &str, value: Value) -> Value {
    match value {
        Value::String(text) if is_secret(name) => Value::String(of_text(&text)),
        Value::String(text) if name.eq_ignore_ascii_case(BULK) => {
            Value::String(data_encoding::BASE64.encode(format!("{} characters", text.len()).as_bytes()))
        }
        value if is_secret(name) && !value.is_null() => Value::String(REDACTED.to_owned()),
        value => of_json(value),
    }
}

/// A secret that is a JSON object keeps its keys: tasks start only if the keys they name are there.
fn of_text(text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => {
            let fields = fields.into_iter().map(|(key, _)| (key, Value::String(REDACTED.to_owned())));
            Value::Object(fields.collect()).to_string()
        }
        _ => REDACTED.to_owned(),
    }
}

pub(super) fn of_form(fields: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let redacted = |path: String, text: String| {
        let secret = path.split('.').any(is_secret);
        (path, if secret { of_text(&text) } else { text })
    };
    fields.into_iter().map(|(path, text)| redacted(path, text)).collect()
}

/// XML without the texts of secret elements.
pub(super) fn of_xml(text: &str) -> String {
    let mut parts = text.split('<');
    let mut done = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        done.push('<');
        match part.split_once('>') {
            Some((name, text)) if is_secret(name.split(' ').next().unwrap_or_default()) && !text.trim().is_empty() => {
                done.push_str(name);
                done.push('>');
                done.push_str(REDACTED);
            }
            _ => done.push_str(part),
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_go_wherever_they_stand_and_their_keys_stay() {
        let sent = json!({
            "Name": "wcg/staging",
            "SecretString": "{\"WXTECH_API_KEY\":\"4711\"}",
            "deep": [{"authorizationData": [{"authorizationToken": "4711"}]}, {"SecretBinary": "NDcxMQ=="}],
            "session": {"sessionId": "ecs-execute-command-1", "tokenValue": "4711"},
            "Password": 4711,
        });
        let kept = of_json(sent);
        assert!(!kept.to_string().contains("4711"), "{kept}");
        assert!(!kept.to_string().contains("NDcxMQ"), "{kept}");
        assert_eq!(kept["Name"], "wcg/staging");
        assert_eq!(kept["session"], json!({"sessionId": "ecs-execute-command-1", "tokenValue": REDACTED}));
        assert_eq!(kept["SecretString"], r#"{"WXTECH_API_KEY":"(redacted)"}"#);
    }

    #[test]
    fn forms_and_xml_lose_theirs_too() {
        let sent = BTreeMap::from([("User.1.Password", "4711"), ("UserName", "a")]);
        let kept = of_form(sent.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect());
        assert_eq!((kept["User.1.Password"].as_str(), kept["UserName"].as_str()), ("(redacted)", "a"));
        let kept = of_xml("<C><AccessKeyId>A</AccessKeyId><SecretAccessKey>4711</SecretAccessKey><SessionToken/></C>");
        assert_eq!(
            kept,
            "<C><AccessKeyId>A</AccessKeyId><SecretAccessKey>(redacted)</SecretAccessKey><SessionToken/></C>"
        );
    }

    #[test]
    fn the_bytes_of_a_layer_are_only_counted() {
        let kept = of_json(json!({"layerPartBlob": "A".repeat(4000)}));
        assert_eq!(kept["layerPartBlob"], data_encoding::BASE64.encode(b"4000 characters"));
    }
}
