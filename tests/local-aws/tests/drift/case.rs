//! One thing that somebody does behind the tool's back, and what the plan must say of it.

use std::pin::Pin;
use std::time::Duration;

use local_aws::call::Call;
use local_aws::checks::{changes, lines};
use provision::plan::Goal;

use crate::account::Account;

/// What somebody does.
pub(crate) type Work<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Somebody's hands, and the lines of the plan that follow.
pub(crate) struct Case {
    /// All lines, as [`lines`] writes them.
    pub(crate) finds: &'static [&'static str],
    hands: fn(&Account) -> Work<'_>,
}

impl Case {
    pub(crate) const fn new(finds: &'static [&'static str], hands: fn(&Account) -> Work<'_>) -> Self {
        Self { finds, hands }
    }

    /// Somebody does it, some time after the last change and before the next look: AWS shows changes late.
    pub(crate) async fn happens(&self, account: &Account) {
        tokio::time::sleep(Duration::from_secs(60)).await;
        (self.hands)(account).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

/// Plays cases one after another in one account: each is found as exactly what it is, repaired, and leaves no trace,
/// which the next one would find.
pub(crate) async fn repaired(account: &Account, cases: &[Case]) {
    for case in cases {
        case.happens(account).await;
        let planned = account.runs.prepare(Goal::Present).await;
        let planned = planned.unwrap_or_else(|error| panic!("of {:?} the plan says: {error:#}", case.finds));
        assert_eq!(lines(&planned.plan), case.finds);
        let report = account.runs.carry_out(planned).await.unwrap();
        assert!(report.outcome.is_complete(), "{:?} is not repaired: {}", case.finds, report.failures().join("\n"));
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(changes(&account.runs).await.unwrap(), Vec::<String>::new());
}

/// Plays cases that nothing can repair in place, each in an account of its own: the plan names resource and field, and
/// a deploy refuses to begin.
pub(crate) async fn blocked(account: impl AsyncFn() -> Account, cases: &[Case]) {
    for case in cases {
        let account = account().await;
        case.happens(&account).await;
        let found = changes(&account.runs).await.unwrap();
        let found: Vec<_> = found.iter().filter(|line| line.starts_with('!')).collect();
        assert_eq!(found, case.finds);
        let calls = account.runs.cloud.calls().len();
        let error = account.runs.deploy().await.unwrap_err();
        assert!(format!("{error:#}").contains("cannot be changed in place"), "{error:#}");
        let calls = account.runs.cloud.calls().split_off(calls);
        assert!(calls.iter().all(Call::reads), "something was changed although {:?}", case.finds);
    }
}

/// Plays cases after which the thing cannot be told from somebody else's, each in an account of its own: the plan stops,
/// names it, and says what to do.
pub(crate) async fn not_ours(account: impl AsyncFn() -> Account, cases: &[Case]) {
    for case in cases {
        let account = account().await;
        case.happens(&account).await;
        let error = format!("{:#}", changes(&account.runs).await.unwrap_err());
        let [thing] = case.finds else { panic!("one thing a case: {:?}", case.finds) };
        let reading = thing.trim_start_matches("x ");
        assert!(error.contains(&format!("{reading}: ")), "{thing} is not named in: {error}");
        assert!(error.contains("does not carry our tags") && error.contains("tag it by hand"), "{error}");
    }
}
