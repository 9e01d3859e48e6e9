//! `[encryption]`: with whose key things are encrypted at rest.

use serde::Serialize;

use super::{Check, account, wrong};
use crate::reader::Reader;

/// With whose key things are encrypted at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Encryption {
    /// A key of one's own, if AWS's own ones are not enough.
    pub kms_key_arn: Option<String>,
    /// Whether it is for the disk and the images, too, which must be made with it.
    pub disk_and_images: bool,
}

impl Encryption {
    pub(super) fn read(reader: &mut Reader, region: &str) -> Self {
        Self {
            kms_key_arn: reader.checked("encryption.kms_key_arn", |text| kms_key(text, region)),
            disk_and_images: reader.flag_or("encryption.disk_and_images", true),
        }
    }
}

/// The key's own ARN: AWS answers with it where an alias was given, and that would look like a difference.
fn kms_key(text: &str, region: &str) -> Check {
    let is_id = |id: &str| {
        let lengths: Vec<_> = id.split('-').map(str::len).collect();
        let single = lengths == [8, 4, 4, 4, 12] && id.chars().all(|c| c == '-' || is_hexadecimal(c));
        single || id.strip_prefix("mrk-").is_some_and(|rest| rest.len() == 32 && rest.chars().all(is_hexadecimal))
    };
    let parts: Vec<_> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", "aws", "kms", of, account_id, id]
            if account(account_id).is_ok() && id.strip_prefix("key/").is_some_and(is_id) =>
        {
            if *of == region {
                Ok(())
            } else {
                wrong(
                    format!("the key is in {of}, what it should encrypt in {region}"),
                    "use a key in the same region, or a replica of it there",
                )
            }
        }
        _ => wrong(
            format!("{text:?} is not the ARN of a KMS key"),
            "it looks like arn:aws:kms:REGION:ACCOUNT:key/ID, and is no alias; `aws kms describe-key --key-id \
             alias/NAME --query KeyMetadata.Arn` shows it",
        ),
    }
}

fn is_hexadecimal(character: char) -> bool {
    character.is_ascii_digit() || ('a'..='f').contains(&character)
}
