//! `[edge]`: what answers on the internet, and to which name.

use serde::Serialize;

use super::network::cidr;
use super::{Check, account, wrong};
use crate::reader::Reader;

/// What answers on the internet.
#[derive(Clone, Debug, Serialize)]
pub struct Edge {
    /// The certificate for HTTPS, if there is one already.
    pub certificate_arn: Option<String>,
    /// The name to answer to; its certificate is requested, and its record written.
    pub domain: Option<Domain>,
    /// Whether port 80 answers, with a redirect to HTTPS.
    pub redirect_http: bool,
    /// Whether AWS refuses to delete the load balancer; `provision destroy` lifts it.
    pub deletion_protection: bool,
    /// The bucket into which every request is written, if any.
    pub access_logs_bucket: Option<String>,
    /// The firewall before it; nothing leaves alone what somebody, or Firewall Manager, put there.
    pub web_acl: Option<WebAcl>,
    /// Who may call.
    pub ingress_cidrs: Vec<String>,
    /// Which TLS versions and ciphers.
    pub ssl_policy: String,
    /// How long a target that goes may finish its requests.
    pub deregistration_delay_seconds: u16,
    /// How often a target is asked whether it is well.
    pub health_check_interval_seconds: u16,
    /// How long a connection may be silent.
    pub idle_timeout_seconds: u16,
}

/// The firewall before the load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WebAcl {
    /// There is to be none.
    None,
    /// That of an ARN.
    Arn(String),
}

/// A name on the internet, and who holds its records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Domain {
    /// The name, as `weather.example.com`.
    pub name: String,
    /// The hosted zone in Route 53 that it is in, as `example.com`.
    pub hosted_zone: String,
}

impl Edge {
    pub(super) fn read(reader: &mut Reader, region: &str) -> Self {
        Self {
            certificate_arn: reader.checked("edge.certificate_arn", |text| certificate(text, region)),
            domain: domain(reader),
            redirect_http: reader.flag_or("edge.redirect_http", true),
            deletion_protection: reader.flag_or("edge.deletion_protection", false),
            access_logs_bucket: reader.checked("edge.access_logs_bucket", bucket),
            web_acl: reader.checked("edge.web_acl", |text| web_acl(text, region)).map(WebAcl::of),
            ingress_cidrs: reader.list("edge.ingress_cidrs", peers),
            ssl_policy: reader.text("edge.ssl_policy", |text| {
                if text.starts_with("ELBSecurityPolicy-TLS13-1-2") || text.starts_with("ELBSecurityPolicy-TLS13-1-3") {
                    Ok(())
                } else {
                    wrong(
                        format!("{text:?} allows TLS older than 1.2, or does not exist"),
                        "use ELBSecurityPolicy-TLS13-1-2-2021-06",
                    )
                }
            }),
            deregistration_delay_seconds: reader.number("edge.deregistration_delay_seconds", 0..=3600),
            health_check_interval_seconds: reader.number("edge.health_check_interval_seconds", 5..=300),
            idle_timeout_seconds: reader.number("edge.idle_timeout_seconds", 1..=4000),
        }
    }
}

impl WebAcl {
    fn of(text: String) -> Self {
        if text == NO_WEB_ACL { Self::None } else { Self::Arn(text) }
    }
}

const NO_WEB_ACL: &str = "none";

fn web_acl(text: &str, region: &str) -> Check {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        [NO_WEB_ACL] => Ok(()),
        ["arn", "aws", "wafv2", of, account_id, id]
            if account(account_id).is_ok() && id.starts_with("regional/webacl/") =>
        {
            if *of == region {
                return Ok(());
            }
            wrong(
                format!("the web ACL is in {of}, the load balancer in {region}"),
                "make one in the same region, or copy it there",
            )
        }
        ["arn", "aws", "wafv2", _, _, id] if id.starts_with("global/") => wrong(
            format!("{text:?} is of scope CLOUDFRONT, which load balancers do not take"),
            "make one of scope REGIONAL",
        ),
        _ => wrong(
            format!("{text:?} is not the ARN of a web ACL"),
            "it looks like arn:aws:wafv2:REGION:ACCOUNT:regional/webacl/NAME/ID (`aws wafv2 list-web-acls --scope \
             REGIONAL` shows yours), or none for no firewall",
        ),
    }
}

fn bucket(text: &str) -> Check {
    let shaped = (3..=63).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'))
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
        && !text.contains("..");
    if shaped {
        return Ok(());
    }
    let hint = "give its plain name, without `arn:` or `s3://`: 3 to 63 lower-case letters, digits, `-` and `.`";
    wrong(format!("{text:?} is not the name of a bucket"), hint)
}

fn peers(text: &str) -> Check {
    if cidr(text).is_some() {
        Ok(())
    } else {
        wrong(format!("{text:?} is not a block of addresses"), "for example 0.0.0.0/0")
    }
}

/// A name with its hosted zone; a certificate comes with it, so none can be given, too.
fn domain(reader: &mut Reader) -> Option<Domain> {
    let name = reader.checked("edge.domain", |text| host_name(text, 64));
    let hosted_zone = reader.checked("edge.hosted_zone", |text| host_name(text, 255));
    let certificate = reader.optional("edge.certificate_arn");
    match (name, hosted_zone) {
        (None, None) => None,
        (Some(_), None) => {
            let hint = "name the hosted zone in Route 53 that it is in, for example example.com";
            reader.problem("edge.hosted_zone", "is missing, but edge.domain is there", hint);
            None
        }
        (None, Some(_)) => {
            let hint = "give edge.domain too, or remove edge.hosted_zone";
            reader.problem("edge.hosted_zone", "is there without edge.domain", hint);
            None
        }
        (Some(name), Some(hosted_zone)) => {
            if certificate.is_some() {
                let hint = "remove one of them: the certificate of edge.domain is requested for you";
                reader.problem("edge.domain", "cannot stand beside edge.certificate_arn", hint);
            }
            if name != hosted_zone && !name.ends_with(&format!(".{hosted_zone}")) {
                let message = format_args!("{name} is not in the hosted zone {hosted_zone}");
                reader.problem("edge.domain", message, "the domain ends in the name of its hosted zone");
            }
            Some(Domain { name, hosted_zone })
        }
    }
}

/// Lower case and without a dot at its end, so that it compares with what AWS answers.
fn host_name(text: &str, max: usize) -> Check {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.contains('.') && text.len() <= max && text.split('.').all(label) {
        return Ok(());
    }
    let hint = format!("write it in lower case, at most {max} characters, for example weather.example.com");
    wrong(format!("{text:?} is not a name on the internet"), &hint)
}

fn certificate(text: &str, region: &str) -> Check {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", "aws", "acm", of, account_id, id] if account(account_id).is_ok() && id.starts_with("certificate/") => {
            if *of == region {
                Ok(())
            } else {
                wrong(
                    format!("the certificate is in {of}, the load balancer in {region}"),
                    "request a certificate in the same region",
                )
            }
        }
        _ => wrong(
            format!("{text:?} is not the ARN of a certificate"),
            "it looks like arn:aws:acm:REGION:ACCOUNT:certificate/ID; `aws acm list-certificates` shows yours",
        ),
    }
}
