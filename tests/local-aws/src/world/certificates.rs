//! Certificates: issued when the record that proves the domain has been public for a while.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{World, text};
use crate::answer::Answer;
use crate::call::Call;

/// Until AWS names the record to publish.
const RECORDED: Duration = Duration::from_secs(5);
/// From the record's publication to the certificate.
const VALIDATING: Duration = Duration::from_secs(120);

/// A certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    domains: Vec<String>,
    requested: Duration,
    issued: bool,
}

/// All of them by ARN.
#[derive(Debug, Default)]
pub struct Certificates {
    by_arn: BTreeMap<String, Certificate>,
}

impl Certificates {
    /// Whether there is one of that ARN.
    pub fn has(&self, arn: &str) -> bool {
        self.by_arn.contains_key(arn)
    }
}

/// Whether a load balancer takes it.
pub(crate) fn is_issued(world: &World, arn: &str) -> bool {
    let Some(certificate) = world.certificates.by_arn.get(arn) else { return false };
    let proven = |domain: &String| {
        let (name, value) = record(domain);
        world.names.since(&name, "CNAME", &value).is_some_and(|since| world.now >= since + VALIDATING)
    };
    certificate.issued || !world.holds("certificate_validation") || certificate.domains.iter().all(proven)
}

pub(super) fn observe(world: &mut World, call: &Call, answer: &mut Answer) {
    match call.operation.as_str() {
        "RequestCertificate" => {
            let others = call.fields["SubjectAlternativeNames"].as_array().into_iter().flatten().map(text);
            let mut domains: Vec<_> = std::iter::once(call.text("DomainName").to_owned()).chain(others).collect();
            domains.dedup();
            // Whoever chooses e-mail reads it at once in this simulation.
            let issued = call.text("ValidationMethod") != "DNS";
            let certificate = Certificate { domains, requested: world.now, issued };
            world.certificates.by_arn.entry(text(&answer.value()["CertificateArn"])).or_insert(certificate);
        }
        "DescribeCertificate" => describe(world, call.text("CertificateArn"), answer),
        "DeleteCertificate" => {
            world.certificates.by_arn.remove(call.text("CertificateArn"));
        }
        _ => (),
    }
}

/// What was issued stays issued when its record goes.
pub(super) fn settle(world: &mut World) {
    let issued: Vec<_> = world.certificates.by_arn.keys().filter(|arn| is_issued(world, arn)).cloned().collect();
    for arn in issued {
        if let Some(certificate) = world.certificates.by_arn.get_mut(&arn) {
            certificate.issued = true;
        }
    }
}

fn describe(world: &World, arn: &str, answer: &mut Answer) {
    let Some(certificate) = world.certificates.by_arn.get(arn) else { return };
    let issued = is_issued(world, arn);
    let named = world.now >= certificate.requested + RECORDED;
    let options = certificate.domains.iter().map(|domain| {
        let (name, value) = record(domain);
        let mut option = json!({
            "DomainName": domain,
            "ValidationDomain": domain,
            "ValidationMethod": "DNS",
            "ValidationStatus": if issued { "SUCCESS" } else { "PENDING_VALIDATION" },
        });
        if named {
            option["ResourceRecord"] = json!({"Name": name, "Type": "CNAME", "Value": value});
        }
        option
    });
    let options: Vec<Value> = options.collect();
    answer.edit(|body| {
        body["Certificate"]["Status"] = json!(if issued { "ISSUED" } else { "PENDING_VALIDATION" });
        body["Certificate"]["DomainValidationOptions"] = json!(options);
    });
}

/// The record that proves a domain: its name and its value.
fn record(domain: &str) -> (String, String) {
    let domain = domain.trim_start_matches("*.");
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(domain)[..16]);
    (format!("_{hash}.{domain}."), format!("_{hash}.acm-validations.aws."))
}
