//! A listener takes no certificate that is not issued, and the refusal does not say that this is why.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let arn = call.text("Certificates.member.1.CertificateArn");
    let takes_one = ["CreateListener", "ModifyListener"].contains(&call.operation.as_str()) && !arn.is_empty();
    if takes_one && !world.certificates.is_usable(arn, world.now) {
        let message = format!(
            "The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a supported key size."
        );
        return no("UnsupportedCertificate", message);
    }
    FINE
}
