//! Certificates: requested, proved by a record in DNS, issued minutes later, and kept while a listener has them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{World, epoch};
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::{ACCOUNT, REGION, xml};

/// From the request to the record that AWS wants to see.
const NAMING: Duration = Duration::from_secs(5);
/// From the record to the certificate.
const ISSUING: Duration = Duration::from_secs(180);
/// After so long without a proof AWS gives up.
const PATIENCE: Duration = Duration::from_secs(72 * 3600);
/// How long a request with the same token is the same request.
const TOKEN: Duration = Duration::from_secs(3600);
/// How long load balancing remembers a certificate that no listener has any more.
const FORGETTING: Duration = Duration::from_secs(45);

/// All of them, the deleted ones too, because their tokens live on.
#[derive(Debug, Default)]
pub struct Certificates {
    by_arn: BTreeMap<String, Certificate>,
}

/// A certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    domain: String,
    token: String,
    tags: Value,
    requested: Duration,
    /// Whether a record proves the domain; otherwise somebody has proved it already.
    by_dns: bool,
    issued: Option<Duration>,
    used: Option<Duration>,
    deleted: bool,
    /// Why it was refused, if it was.
    pub failure: Option<&'static str>,
}

impl Certificates {
    /// Those that exist.
    pub fn all(&self) -> impl Iterator<Item = (&String, &Certificate)> {
        self.by_arn.iter().filter(|(_, it)| !it.deleted)
    }

    /// Whether there is one of that ARN.
    pub fn has(&self, arn: &str) -> bool {
        self.by_arn.get(arn).is_some_and(|it| !it.deleted)
    }

    /// Lets every certificate of a domain fail from now on.
    pub fn fail(&mut self, domain: &str, reason: &'static str) {
        for certificate in self.by_arn.values_mut().filter(|it| it.domain == domain) {
            certificate.failure = Some(reason);
        }
    }

    /// Whether a listener can have it; one that the account does not know is left to others to judge.
    pub fn is_usable(&self, arn: &str, now: Duration) -> bool {
        self.by_arn.get(arn).is_none_or(|it| !it.deleted && it.status(now) == "ISSUED")
    }
}

impl Certificate {
    fn status(&self, now: Duration) -> &'static str {
        match (self.failure, self.issued) {
            (Some(_), _) => "FAILED",
            (None, Some(issued)) if issued <= now => "ISSUED",
            _ if now > self.requested + PATIENCE => "VALIDATION_TIMED_OUT",
            _ => "PENDING_VALIDATION",
        }
    }

    /// The same for the same name in an account, as on AWS.
    fn proof(&self) -> (String, String) {
        let stamp = self.domain.bytes().fold(7u32, |stamp, byte| stamp.wrapping_mul(31).wrapping_add(byte.into()));
        (format!("_{stamp:08x}.{}.", self.domain), format!("_{stamp:08x}.acm-validations.aws."))
    }
}

pub(super) fn answer(world: &mut World, call: &Call) -> Option<Result<Answer, Refusal>> {
    advance(world);
    let arn = call.text("CertificateArn");
    let answer = match call.operation.as_str() {
        "RequestCertificate" => Ok(request(world, call)),
        "ListCertificates" => Ok(list(world)),
        "DescribeCertificate" => get(world, arn).map(|it| json!({"Certificate": describe(arn, it, world.now)})),
        "GetCertificate" => held(world, arn),
        "ListTagsForCertificate" => get(world, arn).map(|it| json!({"Tags": it.tags})),
        "AddTagsToCertificate" => tag(world, call),
        "DeleteCertificate" => delete(world, arn),
        _ => return None,
    };
    Some(answer.map(|body| Answer::json(&body)))
}

/// Sees which proofs are there, and which certificates are in use.
fn advance(world: &mut World) {
    let now = world.now;
    for (arn, certificate) in &mut world.certificates.by_arn {
        if world.load_balancing.has_certificate(arn) {
            certificate.used = Some(now);
        }
        if certificate.issued.is_some() || !certificate.by_dns {
            continue;
        }
        let (name, value) = certificate.proof();
        let record = world.dns.resolve(&name, "CNAME");
        let record = record.filter(|it| xml::parts(&it.body, "Value").first() == Some(&value.as_str()));
        certificate.issued = record.map(|it| it.since.max(certificate.requested) + ISSUING);
    }
}

fn request(world: &mut World, call: &Call) -> Value {
    let now = world.now;
    let (domain, token) = (call.text("DomainName").to_owned(), call.text("IdempotencyToken").to_owned());
    let same =
        |it: &Certificate| !token.is_empty() && it.token == token && it.domain == domain && now < it.requested + TOKEN;
    if let Some((arn, _)) = world.certificates.by_arn.iter().find(|(_, it)| same(it)) {
        return json!({"CertificateArn": arn});
    }
    let arn = format!("arn:aws:acm:{REGION}:{ACCOUNT}:certificate/{:012}", world.certificates.by_arn.len() + 1);
    let by_dns = call.text("ValidationMethod") == "DNS" && world.holds("certificate_validation");
    let certificate = Certificate {
        domain,
        token,
        tags: call.fields["Tags"].clone(),
        requested: now,
        by_dns,
        issued: (!by_dns).then_some(now),
        used: None,
        deleted: false,
        failure: None,
    };
    world.certificates.by_arn.insert(arn.clone(), certificate);
    json!({"CertificateArn": arn})
}

fn list(world: &World) -> Value {
    let summaries = world.certificates.all().map(|(arn, it)| {
        json!({
            "CertificateArn": arn, "DomainName": it.domain, "Status": it.status(world.now), "Type": "AMAZON_ISSUED",
        })
    });
    json!({"CertificateSummaryList": summaries.collect::<Vec<_>>()})
}

fn get<'a>(world: &'a World, arn: &str) -> Result<&'a Certificate, Refusal> {
    let found = world.certificates.by_arn.get(arn).filter(|it| !it.deleted);
    let message = format!("Could not find certificate {arn}");
    found.ok_or_else(|| Refusal::new("ResourceNotFoundException", message))
}

fn describe(arn: &str, it: &Certificate, now: Duration) -> Value {
    let (name, value) = it.proof();
    let mut option = json!({"DomainName": it.domain, "ValidationMethod": if it.by_dns { "DNS" } else { "EMAIL" }});
    if it.by_dns && now >= it.requested + NAMING {
        option["ResourceRecord"] = json!({"Name": name, "Type": "CNAME", "Value": value});
    }
    json!({
        "CertificateArn": arn, "DomainName": it.domain, "Status": it.status(now), "Type": "AMAZON_ISSUED",
        "CreatedAt": epoch(it.requested), "FailureReason": it.failure, "DomainValidationOptions": [option],
    })
}

/// What can be shown of one that is issued; nobody here looks into it.
fn held(world: &World, arn: &str) -> Result<Value, Refusal> {
    match get(world, arn)?.status(world.now) {
        "ISSUED" => Ok(json!({"Certificate": "", "CertificateChain": ""})),
        status => Err(Refusal::new("RequestInProgressException", format!("Certificate {arn} is {status}."))),
    }
}

fn tag(world: &mut World, call: &Call) -> Result<Value, Refusal> {
    get(world, call.text("CertificateArn"))?;
    let found = world.certificates.by_arn.get_mut(call.text("CertificateArn")).expect("it was found a moment ago");
    let new = call.fields["Tags"].as_array().cloned().unwrap_or_default();
    let mut tags = found.tags.as_array().cloned().unwrap_or_default();
    tags.retain(|tag| new.iter().all(|new| new["Key"] != tag["Key"]));
    tags.extend(new);
    found.tags = json!(tags);
    Ok(json!({}))
}

fn delete(world: &mut World, arn: &str) -> Result<Value, Refusal> {
    let used = get(world, arn)?.used;
    if world.holds("certificate_in_use") && used.is_some_and(|used| world.now < used + FORGETTING) {
        return Err(Refusal::new("ResourceInUseException", format!("Certificate {arn} is in use.")));
    }
    if let Some(certificate) = world.certificates.by_arn.get_mut(arn) {
        certificate.deleted = true;
    }
    Ok(json!({}))
}
