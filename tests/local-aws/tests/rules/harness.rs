//! One probe for each rule, run with the rule and without it.

use aws_sdk_ec2::error::ProvideErrorMetadata;
use local_aws::{Cloud, rules};

use crate::account::Account;

/// What the account said to a mistake: code and message of a refusal, or a state and nothing; `None` when it let it pass.
pub(crate) type Said = Option<(String, String)>;

/// The code and the message of a refusal.
pub(crate) fn said<T, E: ProvideErrorMetadata>(result: Result<T, E>) -> Said {
    let error = result.err()?;
    Some((error.code().unwrap_or("no code").to_owned(), error.message().unwrap_or_default().to_owned()))
}

/// A state that is seen.
pub(crate) fn seen(state: impl Into<String>) -> Said {
    Some((state.into(), String::new()))
}

/// Runs a probe in an account with all rules, and in one without the rule.
pub(crate) async fn bites(rule: &str, code: &str, part: &str, probe: impl AsyncFn(Account) -> Said) {
    let as_said = |said: &Said| said.as_ref().is_some_and(|(it, message)| it == code && message.contains(part));
    // AWS's own service models say some of the same, and know only what `provision` sends.
    let all: Vec<_> = rules::all().into_iter().filter(|it| it.name != rules::MODEL).collect();
    let with = probe(Account::on(Cloud::new(all.clone()))).await;
    assert!(as_said(&with), "with the rule {rule}: {with:?} instead of {code}: {part}");
    let others: Vec<_> = all.iter().copied().filter(|it| it.name != rule).collect();
    assert_eq!(others.len() + 1, all.len(), "there is no rule {rule}, or there are two");
    let without = probe(Account::on(Cloud::new(others))).await;
    assert!(!as_said(&without), "without the rule {rule} it is still refused with {without:?}");
}

/// Makes a test of each probe, and a list of the rules that they are for: the one of the test's name, or the one behind
/// `of` when a rule says no for more than one reason.
macro_rules! probes {
    (@rule $test:ident) => { stringify!($test) };
    (@rule $test:ident $rule:ident) => { stringify!($rule) };
    ($($test:ident $(of $rule:ident)?: $code:literal, $part:literal, $probe:expr;)+) => {
        pub(crate) const PROBED: &[&str] = &[$(crate::harness::probes!(@rule $test $($rule)?)),+];

        $(#[tokio::test(start_paused = true)]
        async fn $test() {
            crate::harness::bites(crate::harness::probes!(@rule $test $($rule)?), $code, $part, $probe).await;
        })+
    };
}

pub(crate) use probes;
