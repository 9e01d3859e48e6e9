//! Which calls go wrong, and how.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::answer::Refusal;
use crate::call::Call;
use crate::policy;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// AWS asks for fewer calls; nothing was done.
    Throttled,
    /// AWS fails; nothing was done.
    Failed,
    /// AWS has no room for the request; nothing was done.
    Unavailable,
    /// Nobody answers in time, and nothing was done.
    TimedOut,
    /// The connection breaks before the request arrives.
    Reset,
    /// The work is done, but the answer is lost.
    AnswerLost,
    /// A question gets the answer that it got the last time, and a change is not seen in it.
    Stale,
    /// The work is done, but its tags show only seconds later.
    TagsLate,
    /// The caller may not do this.
    Denied,
    /// There are as many of these as the account may have.
    Quota,
    /// The process is killed just before the request is sent.
    KilledBefore,
    /// The process is killed when the work is done and the answer has not arrived.
    KilledAfter,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Throttled,
        Self::Failed,
        Self::Unavailable,
        Self::TimedOut,
        Self::Reset,
        Self::AnswerLost,
        Self::Stale,
        Self::TagsLate,
        Self::Denied,
        Self::Quota,
        Self::KilledBefore,
        Self::KilledAfter,
    ];

    /// Whether a call can go wrong in this way.
    pub fn fits(self, call: &Call) -> bool {
        match self {
            Self::Stale => call.reads(),
            Self::TagsLate => policy::tags(call),
            Self::Quota => quota(call).is_some(),
            _ => true,
        }
    }

    /// Whether a run ends by it, whatever the tool does: it can only say what somebody else has to do.
    pub fn ends_the_run(self) -> bool {
        matches!(self, Self::Denied | Self::Quota)
    }

    /// What AWS answers, if it answers at all and did nothing.
    pub(crate) fn refusal(self, call: &Call) -> Option<Refusal> {
        match self {
            Self::Throttled => {
                let code = if call.service == "ec2" { "RequestLimitExceeded" } else { "ThrottlingException" };
                Some(Refusal::new(code, "Rate exceeded"))
            }
            Self::Failed => Some(Refusal {
                status: 500,
                code: "InternalFailure".to_owned(),
                message: "The request processing has failed because of an unknown error".to_owned(),
            }),
            Self::Unavailable => Some(Refusal {
                status: 503,
                code: "ServiceUnavailable".to_owned(),
                message: "Service is unavailable. Please try again shortly.".to_owned(),
            }),
            Self::Denied => policy::actions(call).first().map(|action| policy::denial(call, action)),
            Self::Quota => quota(call),
            _ => None,
        }
    }
}

/// What a service answers when there are too many of something already.
fn quota(call: &Call) -> Option<Refusal> {
    let code = match (call.service.as_str(), call.operation.as_str()) {
        ("ec2", "CreateVpc") => "VpcLimitExceeded",
        ("ec2", "CreateSubnet") => "SubnetLimitExceeded",
        ("ec2", "CreateInternetGateway") => "InternetGatewayLimitExceeded",
        ("ec2", "CreateRouteTable") => "RouteTableLimitExceeded",
        ("ec2", "CreateSecurityGroup") => "SecurityGroupLimitExceeded",
        ("ec2", "AuthorizeSecurityGroupIngress" | "AuthorizeSecurityGroupEgress") => {
            "RulesPerSecurityGroupLimitExceeded"
        }
        ("ec2", "AllocateAddress") => "AddressLimitExceeded",
        ("ec2", "CreateNatGateway") => "NatGatewayLimitExceeded",
        ("ec2", "CreateFlowLogs") => "FlowLogsLimitExceeded",
        ("elasticloadbalancing", "CreateLoadBalancer") => "TooManyLoadBalancers",
        ("elasticloadbalancing", "CreateTargetGroup") => "TooManyTargetGroups",
        ("elasticloadbalancing", "CreateListener") => "TooManyListeners",
        ("elasticloadbalancing", "CreateRule") => "TooManyRules",
        ("elasticfilesystem", "CreateFileSystem") => "FileSystemLimitExceeded",
        ("elasticfilesystem", "CreateAccessPoint") => "AccessPointLimitExceeded",
        ("elasticfilesystem", "CreateMountTarget") => "NetworkInterfaceLimitExceeded",
        ("iam", "CreateRole" | "CreateOpenIDConnectProvider") => "LimitExceeded",
        ("monitoring", "PutMetricAlarm") => "LimitExceeded",
        ("sns", "CreateTopic") => "TopicLimitExceeded",
        (
            "ecr" | "logs" | "secretsmanager" | "acm",
            "CreateRepository" | "CreateLogGroup" | "CreateSecret" | "RequestCertificate",
        )
        | ("application-autoscaling", "RegisterScalableTarget" | "PutScalingPolicy") => "LimitExceededException",
        _ => return None,
    };
    Some(Refusal::new(code, "The maximum number that this account may have has been reached"))
}

/// A plan of faults, by the number of the call.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    by_number: BTreeMap<u64, Fault>,
}

impl Faults {
    /// One fault at one call.
    pub fn at(number: u64, fault: Fault) -> Self {
        Self { by_number: BTreeMap::from([(number, fault)]) }
    }

    /// Many faults.
    pub fn many(faults: impl IntoIterator<Item = (u64, Fault)>) -> Self {
        Self { by_number: faults.into_iter().collect() }
    }

    /// About one call in eight goes wrong, in ways that a seed decides.
    pub fn random(seed: u64, calls: Range<u64>) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let mut fault = |number| {
            let fault = chance.choice(Fault::ALL)?;
            // A run that is ended again and again never arrives, and nothing is learnt from that.
            let is_end = fault.ends_the_run() || matches!(fault, Fault::KilledBefore | Fault::KilledAfter);
            (chance.f64() < if is_end { 0.01 } else { 0.12 }).then_some((number, fault))
        };
        Self { by_number: calls.filter_map(&mut fault).collect() }
    }

    pub(crate) fn of(&self, call: &Call) -> Option<Fault> {
        self.by_number.get(&call.number).copied().filter(|fault| fault.fits(call))
    }
}
