//! A refusal as each service words it when a field breaks a constraint of its model.

use super::check::{Violation, Wrong};
use crate::answer::Refusal;
use crate::call::Call;

/// The refusal, if anything was found.
pub(super) fn of(service: &str, found: &[Violation]) -> Option<Refusal> {
    let first = found.first()?;
    Some(if service == "ec2" { ec2(first) } else { Refusal::new(code(service), message(found)) })
}

/// An operation without a model: most likely, `provision` has learnt to use it since the models were taken.
pub(super) fn unknown_operation(call: &Call) -> Refusal {
    let Call { service, operation, .. } = call;
    let message = format!(
        "the simulation has no model of {service} {operation}; run tests/local-aws/models/refresh.py, which takes it \
         from botocore"
    );
    Refusal::new("UnknownOperationException", message)
}

fn code(service: &str) -> &'static str {
    match service {
        "elasticloadbalancing" | "iam" | "monitoring" | "sts" => "ValidationError",
        "ecr" | "ecs" | "logs" => "InvalidParameterException",
        "sns" => "InvalidParameter",
        "route53" => "InvalidInput",
        "wafv2" => "WAFInvalidParameterException",
        _ => "ValidationException",
    }
}

fn message(found: &[Violation]) -> String {
    let plural = if found.len() == 1 { "" } else { "s" };
    let each: Vec<_> = found.iter().map(sentence).collect();
    format!("{} validation error{plural} detected: {}", found.len(), each.join("; "))
}

fn sentence(violation: &Violation) -> String {
    let Violation { path, value, wrong } = violation;
    let constraint = match wrong {
        Wrong::Missing => {
            return format!("Value null at '{path}' failed to satisfy constraint: Member must not be null");
        }
        Wrong::Unknown => "Member is not in the service's model",
        Wrong::Constraint(constraint) => constraint,
    };
    match value {
        Some(value) => format!("Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"),
        None => format!("Value at '{path}' failed to satisfy constraint: {constraint}"),
    }
}

/// EC2 names one field, and has its own codes.
fn ec2(violation: &Violation) -> Refusal {
    let Violation { path, value, wrong } = violation;
    let value = value.as_deref().unwrap_or_default();
    match wrong {
        Wrong::Missing => Refusal::new("MissingParameter", format!("The request must contain the parameter {path}")),
        Wrong::Unknown => Refusal::new("UnknownParameter", format!("The parameter {path} is not recognized")),
        Wrong::Constraint(constraint) => Refusal::new(
            "InvalidParameterValue",
            format!("Value ({value}) for parameter {path} is invalid. {constraint}"),
        ),
    }
}
