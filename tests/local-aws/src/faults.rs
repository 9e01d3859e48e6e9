//! Which calls go wrong, and how.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::answer::Refusal;
use crate::call::Call;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// AWS asks for fewer calls; nothing was done.
    Throttled,
    /// AWS fails; nothing was done.
    Failed,
    /// The connection breaks before the request arrives.
    Reset,
    /// The work is done, but the answer is lost.
    AnswerLost,
    /// The process is killed just before the request is sent.
    KilledBefore,
    /// The process is killed when the work is done and the answer has not arrived.
    KilledAfter,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Throttled, Self::Failed, Self::Reset, Self::AnswerLost, Self::KilledBefore, Self::KilledAfter];

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
            _ => None,
        }
    }
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
            // A process that is killed again and again never arrives, and nothing is learnt from that.
            let is_kill = matches!(fault, Fault::KilledBefore | Fault::KilledAfter);
            (chance.f64() < if is_kill { 0.01 } else { 0.12 }).then_some((number, fault))
        };
        Self { by_number: calls.filter_map(&mut fault).collect() }
    }

    pub(crate) fn of(&self, call: &Call) -> Option<Fault> {
        self.by_number.get(&call.number).copied()
    }
}
