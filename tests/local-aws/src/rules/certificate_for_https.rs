//! An HTTPS listener needs a certificate.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    let https = call.is("elasticloadbalancing", "CreateListener") && call.text("Protocol") == "HTTPS";
    if https && call.text("Certificates.member.1.CertificateArn").is_empty() {
        return no("ValidationError", "A certificate must be specified for HTTPS listeners");
    }
    FINE
}
