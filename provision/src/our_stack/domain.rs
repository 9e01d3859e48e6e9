//! The name that the service answers to: its certificate, given or requested, and its record.

use config::deployment::Deployment;

use crate::names::Names;
use crate::resources::alias_record::{AliasRecord, AliasRecordSpec};
use crate::resources::certificate::Certificate;
use crate::resources::hosted_zone::HostedZone;
use crate::resources::load_balancer::LoadBalancer;
use crate::resources::old_certificates::OldCertificates;
use crate::resources::requested_certificate::{ISSUED, PUBLISHED, RequestedCertificate, RequestedCertificateSpec};
use crate::stack::{Handle, Inputs, NodeId, Outputs, Stack};

/// The certificate, wherever it comes from.
#[derive(Clone, Copy)]
pub(super) enum AnyCertificate {
    /// Somebody requested it.
    Given(Handle<Certificate>),
    /// It is requested here.
    Requested(Handle<RequestedCertificate>),
}

impl Inputs for AnyCertificate {
    /// The ARN.
    type Values = String;

    fn ids(&self) -> Vec<NodeId> {
        match self {
            Self::Given(handle) => handle.ids(),
            Self::Requested(handle) => handle.ids(),
        }
    }

    fn resolve(&self, outputs: &Outputs) -> Option<String> {
        match self {
            Self::Given(handle) => handle.resolve(outputs),
            Self::Requested(handle) => handle.resolve(outputs).map(|it| it.arn),
        }
    }
}

/// What is known of the name before there is a load balancer.
#[derive(Clone, Copy)]
pub(super) struct Domain {
    pub(super) certificate: AnyCertificate,
    zone: Option<Handle<HostedZone>>,
}

impl Domain {
    /// What the next look can use of a certificate that was requested here.
    pub(super) fn hint(&self, outputs: &Outputs) -> Option<String> {
        match self.certificate {
            AnyCertificate::Given(_) => None,
            AnyCertificate::Requested(handle) => handle.resolve(outputs).map(|it| it.hint()),
        }
    }
}

pub(super) fn add(stack: &mut Stack, deployment: &Deployment, names: &Names) -> Domain {
    let edge = &deployment.edge;
    let old = OldCertificates {
        domain: edge.domain.as_ref().map(|domain| domain.name.clone()),
        arn: edge.certificate_arn.clone(),
        load_balancer_name: names.load_balancer(),
    };
    // The name says what stays, because a later configuration may let something else stay.
    let stays = old.domain.as_ref().or(old.arn.as_ref()).map_or("none", |it| it.rsplit('/').next().unwrap_or(it));
    stack.retire(format!("all-but-{stays}"), old, &());
    let Some(domain) = &edge.domain else {
        let key = Certificate { arn: edge.certificate_arn.clone() };
        return Domain { certificate: AnyCertificate::Given(stack.add("certificate", key, (), |()| ())), zone: None };
    };
    let zone = stack.add("zone", HostedZone { name: domain.hosted_zone.clone() }, (), |()| ());
    let name = domain.name.clone();
    let key = RequestedCertificate { domain: name.clone(), hosted_zone: domain.hosted_zone.clone() };
    let certificate = stack.add("certificate", key, zone, move |zone| RequestedCertificateSpec {
        domain: name.clone(),
        proof: PUBLISHED.to_owned(),
        state: ISSUED.to_owned(),
        hosted_zone_id: zone,
    });
    Domain { certificate: AnyCertificate::Requested(certificate), zone: Some(zone) }
}

/// Lets the name lead to the load balancer.
pub(super) fn add_record(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    domain: Domain,
    load_balancer: Handle<LoadBalancer>,
) {
    let (Some(zone), Some(configured)) = (domain.zone, &deployment.edge.domain) else { return };
    let key = AliasRecord {
        hosted_zone: configured.hosted_zone.clone(),
        name: configured.name.clone(),
        load_balancer_name: names.load_balancer(),
    };
    stack.add("record", key, (zone, load_balancer), |(zone_id, load_balancer)| AliasRecordSpec {
        target: load_balancer.dns_name.to_ascii_lowercase(),
        target_zone: load_balancer.hosted_zone_id,
        evaluate_target_health: false,
        zone_id,
    });
}
