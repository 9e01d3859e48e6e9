//! Creations of EC2 that take a token: the same token, the same thing, however often it is asked for.

use std::time::Duration;

use anyhow::{Result, bail};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

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

fn token(what: &str, generation: u32) -> String {
    HEXLOWER.encode(&Sha256::digest(format!("{what}/{generation}")))[..32].to_owned()
}
