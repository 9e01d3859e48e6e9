//! A certificate that a listener has cannot be deleted.

use super::{FINE, no};
use crate::ACCOUNT;
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::{Kind, Thing, World};

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let arn = call.text("CertificateArn");
    let has = |listener: &Thing| listener.fields.iter().any(|(key, it)| key.starts_with("Certificates.") && it == arn);
    if call.is("acm", "DeleteCertificate") && world.load_balancing.all(Kind::Listener).any(|(_, it)| has(it)) {
        return no("ResourceInUseException", format!("Certificate {arn} in account {ACCOUNT} is in use."));
    }
    FINE
}
