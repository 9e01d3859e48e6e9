//! What calls of several kinds of EC2 have in common: tokens of creations, and answers that hide a failure.

use std::time::Duration;

use anyhow::{Result, bail};
use aws_sdk_ec2::types::UnsuccessfulItem;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::aws::AwsError;
use crate::context::Context;
use crate::wait::{Poll, Wait};

/// How often something may have been made and deleted within the time for which EC2 keeps a token.
const GENERATIONS: u32 = 10;
/// How often to look, once a second, for what EC2 has just made and may hide for a moment.
const LOOKS: u32 = 10;

/// Asks for a thing until what is answered is there, and gives its identifier.
///
/// EC2 answers a token that it knows with what it once made for it, even if that is gone by now. Then the next token
/// is tried.
pub(super) async fn make<A, B>(
    context: &Context,
    what: &str,
    request: impl Fn(String) -> A + Sync,
    is_there: impl Fn(String) -> B + Sync,
) -> Result<String>
where
    A: Future<Output = Result<String>> + Send,
    B: Future<Output = Result<bool>> + Send,
{
    for generation in 0..GENERATIONS {
        let id = request(token(what, generation)).await?;
        let wait = Wait::new(format!("{id} to be listed"), Duration::from_secs(1), Duration::from_secs(60));
        let mut looks = 0;
        let look = || {
            looks += 1;
            let (there, last) = (is_there(id.clone()), looks == LOOKS);
            async move {
                Ok(match there.await? {
                    false if !last => Poll::Pending("not visible yet".to_owned()),
                    there => Poll::Ready(there),
                })
            }
        };
        if context.wait(wait, look).await? {
            return Ok(id);
        }
    }
    bail!("EC2 only answers with things that are gone by now; run again tomorrow, when it has forgotten them")
}

/// Finds what could not be done in an answer that is no error, unless it is one of these.
pub(super) fn all_done(unsuccessful: &[UnsuccessfulItem], but: &[&str]) -> Result<(), AwsError> {
    let mut errors = unsuccessful.iter().filter_map(|item| item.error());
    let Some(error) = errors.find(|error| !error.code().is_some_and(|code| but.contains(&code))) else { return Ok(()) };
    Err(AwsError {
        code: error.code.clone(),
        message: error.message.clone().unwrap_or_else(|| "no explanation given".to_owned()),
        status: Some(400),
    })
}

fn token(what: &str, generation: u32) -> String {
    HEXLOWER.encode(&Sha256::digest(format!("{what}/{generation}")))[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::UnsuccessfulItemError;

    use super::*;
    use crate::retry::Class;

    #[test]
    fn what_an_answer_says_was_not_done_is_an_error_like_any_other() {
        assert!(all_done(&[], &[]).is_ok());
        let why = "Unable to assume given IAM role: 'arn:aws:iam::1:role/flow-log'";
        let error = UnsuccessfulItemError::builder().code("InvalidParameter").message(why).build();
        let item = UnsuccessfulItem::builder().resource_id("vpc-1").error(error).build();
        let error = all_done(std::slice::from_ref(&item), &[]).unwrap_err();
        assert!(error.is("InvalidParameter"));
        assert_eq!(Class::of(&error.into()), Some(Class::RolePropagation));
        assert!(all_done(&[item], &["InvalidParameter"]).is_ok());
    }
}
