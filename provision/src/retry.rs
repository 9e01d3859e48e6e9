//! Which failures pass by themselves, how long they are given, and how often to try again.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use crate::aws::AwsError;
use crate::context::Context;
use crate::wait::human;

/// Why a failure may pass; each class has its own patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// IAM has not told every service yet about a role made moments ago.
    RolePropagation,
    /// Too many calls.
    Throttled,
    /// Something that is being deleted still holds on to this.
    Dependency,
    /// A thing made moments ago is not visible everywhere yet.
    NotVisibleYet,
    /// No answer, or an internal error: the work may have been done or not.
    Lost,
}

/// How often and how long a class of failure is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    first: Duration,
    longest: Duration,
    /// How long in all.
    pub budget: Duration,
}

impl Class {
    /// Classifies a failure; `None` means that trying again changes nothing.
    pub fn of(error: &anyhow::Error) -> Option<Self> {
        error.chain().find_map(|cause| cause.downcast_ref::<AwsError>()).and_then(Self::of_aws)
    }

    fn of_aws(error: &AwsError) -> Option<Self> {
        let code = error.code.as_deref().unwrap_or_default();
        if throttled(code, &error.message) {
            Some(Self::Throttled)
        } else if role_is_propagating(&error.message) {
            Some(Self::RolePropagation)
        } else if DEPENDENCY.contains(&code) {
            Some(Self::Dependency)
        } else if NOT_VISIBLE_YET.contains(&code) || error.message.contains("ECS service doesn't exist") {
            Some(Self::NotVisibleYet)
        } else if error.message.contains("already scheduled for deletion")
            || error.message.contains("conflicting DNS domain")
        {
            // An endpoint's name is free only when the one before it is gone.
            // A secret's name is free only some seconds after its forced deletion.
            Some(Self::Dependency)
        } else if (error.code.is_none() && error.status.is_none_or(|status| status >= 500))
            || error.status.is_some_and(|status| status >= 500)
        {
            Some(Self::Lost)
        } else {
            None
        }
    }

    /// The patience for the class, from the budgets that AWS tools have found to be enough.
    pub fn patience(self) -> Patience {
        let (first_ms, longest_ms, budget_s) = match self {
            // Settles in single-digit seconds; Terraform allows two minutes.
            Self::RolePropagation => (250, 2_000, 120),
            Self::Throttled => (1_000, 8_000, 120),
            // Load balancer addresses and interfaces take 5 to 10 minutes to be released.
            Self::Dependency => (5_000, 10_000, 900),
            Self::NotVisibleYet => (250, 2_000, 60),
            Self::Lost => (1_000, 8_000, 60),
        };
        Patience {
            first: Duration::from_millis(first_ms),
            longest: Duration::from_millis(longest_ms),
            budget: Duration::from_secs(budget_s),
        }
    }

    /// The reason in words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::RolePropagation => "a new role is not known everywhere yet",
            Self::Throttled => "AWS asks for fewer calls",
            Self::Dependency => "something that is being released still uses it",
            Self::NotVisibleYet => "something new is not visible everywhere yet",
            Self::Lost => "no usable answer; looking before trying again",
        }
    }
}

impl Patience {
    /// The pause before the attempt after `failures` failures: doubling, capped, and shortened by
    /// up to a quarter so that parallel callers do not come back together.
    pub fn pause(self, failures: u32, jitter: f64) -> Duration {
        let doubled = self.first.saturating_mul(1u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX));
        doubled.min(self.longest).mul_f64(1.0 - 0.25 * jitter.clamp(0.0, 1.0))
    }
}

/// Repeats work that may be done twice without harm until it succeeds, or fails in a way that does not pass.
///
/// # Errors
/// The first failure that does not pass, or the last one when its class's budget is used up.
pub async fn persist<T, F>(context: &Context, work: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    persist_through(context, |_| true, work).await
}

/// Repeats a question while AWS asks for fewer of them; whatever else goes wrong is for the asker to judge.
///
/// # Errors
/// The first failure that is no throttling, or the last one when the budget is used up.
pub async fn unhurried<T, F>(context: &Context, work: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    persist_through(context, |class| class == Class::Throttled, work).await
}

async fn persist_through<T, F>(
    context: &Context,
    passes: impl Fn(Class) -> bool,
    mut work: impl FnMut() -> F,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let began = Instant::now();
    for failures in 0.. {
        let error = match work().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some(class) = Class::of(&error).filter(|class| passes(*class)) else { return Err(error) };
        let patience = class.patience();
        let pause = patience.pause(failures, 0.5);
        if began.elapsed() + pause > patience.budget {
            return Err(error.context(format!("gave up after {}: {}", human(patience.budget), class.reason())));
        }
        context.note(format_args!("{}; again in {} ({error:#})", class.reason(), human(pause)));
        sleep(pause).await;
    }
    unreachable!("the budget ends first")
}

fn throttled(code: &str, message: &str) -> bool {
    const CODES: &[&str] = &[
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "PriorRequestNotComplete",
        "TooManyRequestsException",
    ];
    CODES.contains(&code) || message.contains("Rate exceeded")
}

/// The codes are generic (`InvalidParameterException`, `ClientException`), so the sentence decides.
fn role_is_propagating(message: &str) -> bool {
    const SENTENCES: &[&str] = &[
        "cannot be assumed",
        "unable to assume",
        "Unable to assume",
        "being passed has the proper",
        "Invalid principal in policy",
        // Of a file system's policy.
        "invalid Principal block",
    ];
    SENTENCES.iter().any(|sentence| message.contains(sentence))
}

const DEPENDENCY: &[&str] = &[
    "DependencyViolation",
    "ResourceInUse",
    "ResourceInUseException",
    "FileSystemInUse",
    "DependencyTimeout",
    "IncorrectFileSystemLifeCycleState",
    "ClusterContainsServicesException",
    "ClusterContainsTasksException",
    "OperationAbortedException",
    "DeleteConflict",
    "InvalidIPAddress.InUse",
];

const NOT_VISIBLE_YET: &[&str] = &[
    "InvalidVpcID.NotFound",
    "InvalidSubnetID.NotFound",
    // As endpoints spell it.
    "InvalidVpcId.NotFound",
    "InvalidSubnetId.NotFound",
    "InvalidRouteTableId.NotFound",
    "InvalidSecurityGroupId.NotFound",
    "InvalidSubnet",
    "InvalidInternetGatewayID.NotFound",
    "InvalidGatewayID.NotFound",
    "InvalidRouteTableID.NotFound",
    "NatGatewayNotFound",
    "InvalidNatGatewayID.NotFound",
    "InvalidAllocationID.NotFound",
    "InvalidGroup.NotFound",
    "InvalidSecurityGroup",
    "SubnetNotFound",
    "ClusterNotFoundException",
    "TargetGroupNotFound",
    "LoadBalancerNotFound",
    "FileSystemNotFound",
    // WAF, of a load balancer that was made moments ago.
    "WAFNonexistentItemException",
    "WAFUnavailableEntityException",
    // The one that an attempt before made does not show yet.
    "FlowLogAlreadyExists",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn class(code: Option<&str>, message: &str, status: Option<u16>) -> Option<Class> {
        let error = AwsError { code: code.map(ToOwned::to_owned), message: message.to_owned(), status };
        Class::of(&anyhow::Error::new(error).context("creating something"))
    }

    #[test]
    fn each_failure_falls_into_the_class_that_says_what_to_do() {
        assert_eq!(class(Some("ThrottlingException"), "Rate exceeded", Some(400)), Some(Class::Throttled));
        assert_eq!(
            class(Some("InvalidParameterException"), "Unable to assume the service linked role.", Some(400)),
            Some(Class::RolePropagation)
        );
        assert_eq!(class(Some("DependencyViolation"), "has a dependent object", Some(400)), Some(Class::Dependency));
        assert_eq!(class(Some("InvalidVpcID.NotFound"), "no such", Some(400)), Some(Class::NotVisibleYet));
        assert_eq!(class(Some("InternalFailure"), "", Some(500)), Some(Class::Lost));
        assert_eq!(class(None, "dispatch failure: connection reset", None), Some(Class::Lost));
        assert_eq!(class(Some("AccessDenied"), "not authorized", Some(403)), None);
        assert_eq!(Class::of(&anyhow::anyhow!("not from AWS at all")), None);
    }

    #[test]
    fn pauses_double_up_to_a_cap_and_jitter_only_shortens_them() {
        let patience = Class::Throttled.patience();
        let pauses: Vec<_> = (0..5).map(|failures| patience.pause(failures, 0.0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 8]);
        assert_eq!(patience.pause(0, 1.0), Duration::from_millis(750));
        assert!(patience.pause(u32::MAX, 0.5) <= Duration::from_secs(8));
    }
}
