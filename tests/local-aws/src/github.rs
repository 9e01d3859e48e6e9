//! A repository on GitHub, and what GitHub hands to its workflows that want to take a role: a signed list of claims.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// Who signs, as IAM knows it; claims are condition keys behind this name.
pub(crate) const ISSUER: &str = "token.actions.githubusercontent.com";

/// What a command is told of the repository that may deploy `staging`.
pub const REPOSITORY: [&str; 4] = [
    "--set=github.repository=example/weather",
    "--set=github.repository_id=4711",
    "--set=github.owner_id=42",
    "--set=github.environments=[\"staging\"]",
];

/// The claims of a workflow in an environment of a repository, whose owner and itself have these numbers.
///
/// Repositories that were made, renamed or transferred since 2026-07-15 are named with their numbers, older ones without:
/// that is what `numbered` decides.
pub fn claims(owner: (&str, u64), repository: (&str, u64), environment: &str, numbered: bool) -> Value {
    let name = if numbered {
        format!("{}@{}/{}@{}", owner.0, owner.1, repository.0, repository.1)
    } else {
        format!("{}/{}", owner.0, repository.0)
    };
    json!({
        "iss": format!("https://{ISSUER}"),
        "aud": "sts.amazonaws.com",
        "sub": format!("repo:{name}:environment:{environment}"),
        "repository": format!("{}/{}", owner.0, repository.0),
        "repository_id": repository.1.to_string(),
        "repository_owner_id": owner.1.to_string(),
        "environment": environment,
    })
}

/// A token with such claims. Nobody here can sign as GitHub does, and nobody looks at the signature.
pub fn token(claims: &Value) -> String {
    let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let parts = [part(r#"{"alg":"RS256","typ":"JWT"}"#), part(&claims.to_string()), part("signed by nobody")];
    parts.join(".")
}

/// The claims of a token.
pub(crate) fn read(token: &str) -> Option<Value> {
    let claims = token.split('.').nth(1)?;
    serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?).ok()
}
