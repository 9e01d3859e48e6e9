//! Every field of every request, checked against the constraints that AWS publishes in its service models.
//!
//! The data is in `models/`, one file a service, taken from botocore by `models/refresh.py`. Rules say what AWS knows
//! beyond its models; here is only what it says of each field: required, length, range, pattern, enumeration. A field
//! that a model does not know is refused too: AWS often ignores it, and then a setting does nothing without a word.

mod check;
mod nested;
mod pattern;
mod refusal;
mod shape;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::answer::Refusal;
use crate::call::Call;

use self::check::Check;
use self::shape::Model;

macro_rules! models {
    ($($service:literal),+ $(,)?) => {
        [$(($service, include_str!(concat!("../models/", $service, ".json")))),+]
    };
}

/// The models as they are kept, by the services' names in signatures.
const FILES: [(&str, &str); 15] = models![
    "acm",
    "application-autoscaling",
    "ec2",
    "ecr",
    "ecs",
    "elasticfilesystem",
    "elasticloadbalancing",
    "iam",
    "logs",
    "monitoring",
    "route53",
    "secretsmanager",
    "sns",
    "sts",
    "wafv2",
];

static MODELS: LazyLock<BTreeMap<&str, Model>> = LazyLock::new(|| {
    let model = |text| serde_json::from_str(text).expect("models/refresh.py writes what is read here");
    FILES.into_iter().map(|(service, text)| (service, model(text))).collect()
});

/// Whether the operation's model is among the data; if not, `models/refresh.py` has to be run.
pub fn knows(service: &str, operation: &str) -> bool {
    MODELS.get(service).is_some_and(|model| model.operations.contains_key(operation))
}

/// Refuses a call as its service would when a field breaks a constraint.
pub fn refuses(call: &Call) -> Option<Refusal> {
    let Some((model, input)) =
        MODELS.get(call.service.as_str()).and_then(|model| Some((model, model.operations.get(&call.operation)?)))
    else {
        return Some(refusal::unknown_operation(call));
    };
    let input = input.as_deref()?;
    let mut check = Check::new(model);
    if model.is_flat() {
        let (fields, unknown) = nested::nest(model, input, &call.fields);
        check.input(input, &fields);
        check.unknown(unknown);
    } else if model.is_xml() {
        check.input(input, &nested::of_xml(model, input, &call.fields));
    } else {
        check.input(input, &call.fields);
    }
    refusal::of(&call.service, &check.found)
}
