//! A listener takes only certificates of its own region and account.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let sets = call.is("elasticloadbalancing", "CreateListener") || call.is("elasticloadbalancing", "ModifyListener");
    let arn = call.text("Certificates.member.1.CertificateArn");
    if sets && !arn.is_empty() && !world.certificates.has(arn) {
        return no("CertificateNotFound", format!("Certificate '{arn}' not found"));
    }
    FINE
}
