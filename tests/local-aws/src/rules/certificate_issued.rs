//! A load balancer takes only a certificate that is issued, and its refusal does not say so.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::{World, is_issued};

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let sets = call.is("elasticloadbalancing", "CreateListener") || call.is("elasticloadbalancing", "ModifyListener");
    let arn = call.text("Certificates.member.1.CertificateArn");
    if sets && world.certificates.has(arn) && !is_issued(world, arn) {
        let message = format!(
            "The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a supported \
             key size."
        );
        return no("UnsupportedCertificate", message);
    }
    FINE
}
