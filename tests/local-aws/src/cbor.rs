//! CBOR, in which CloudWatch talks, from and to the JSON in which the simulation thinks.

use serde_json::Value;

pub(crate) const CONTENT_TYPE: &str = "application/cbor";

/// Reads a body; one that cannot be read is null, as with JSON.
pub(crate) fn read(bytes: &[u8]) -> Value {
    ciborium::from_reader(bytes).unwrap_or(Value::Null)
}

pub(crate) fn write(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("memory takes all that is written");
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_texts_and_lists_come_back_as_they_were() {
        let value = json!({"Threshold": 0.95, "Whole": 80.0, "Period": 300, "Names": ["a", "b"], "On": true});
        assert_eq!(read(&write(&value)), value);
        // A map without a length, as the SDK writes it.
        assert_eq!(read(&[0xbf, 0x61, b'a', 0x01, 0xff]), json!({"a": 1}));
        assert_eq!(read(b"\xff"), Value::Null);
    }
}
