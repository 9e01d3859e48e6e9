//! Records in Route 53: found by name and type, changed one at a time, and awaited until all name servers know.

use std::time::Duration;

use anyhow::{Result, bail};
use aws_sdk_route53::operation::change_resource_record_sets::ChangeResourceRecordSetsError;
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecordSet, RrType};

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::wait::{Poll, Wait};

/// Writes a name the one way: lower case, no dot at its end, and `*` as itself.
pub(super) fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase().replace("\\052", "*")
}

/// Finds the public hosted zone of a name.
pub(crate) async fn zone_id(context: &Context, name: &str) -> Result<Option<String>> {
    let ask = || async {
        // Private zones can have the same name.
        let request = context.aws.route53.list_hosted_zones_by_name().dns_name(name).max_items(10);
        let answer = request.send().await.map_err(AwsError::from)?;
        let is_public = |it: &aws_sdk_route53::types::HostedZone| it.config().is_none_or(|config| !config.private_zone);
        let found: Vec<_> = answer.hosted_zones.iter().filter(|it| plain(&it.name) == name && is_public(it)).collect();
        if found.len() > 1 {
            bail!(
                "there are {} public hosted zones for {name} in Route 53; delete the one without traffic",
                found.len()
            );
        }
        Ok(found.first().map(|zone| zone.id.trim_start_matches("/hostedzone/").to_owned()))
    };
    context.once(&format!("hosted zone {name}"), ask).await
}

/// Finds a record.
pub(super) async fn record(
    context: &Context,
    zone_id: &str,
    name: &str,
    kind: RrType,
) -> Result<Option<ResourceRecordSet>> {
    let request = context.aws.route53.list_resource_record_sets().hosted_zone_id(zone_id);
    // The list begins at the name, or behind it.
    let request = request.start_record_name(name).start_record_type(kind.clone()).max_items(1);
    let answer = request.send().await.absent_on(&["NoSuchHostedZone"])?;
    let sets = answer.map(|answer| answer.resource_record_sets).unwrap_or_default();
    Ok(sets.into_iter().find(|set| plain(&set.name) == plain(name) && set.r#type == kind))
}

/// Writes a record, whatever there was, and waits until every name server has it.
pub(super) async fn write(context: &Context, zone_id: &str, set: ResourceRecordSet) -> Result<()> {
    change(context, zone_id, ChangeAction::Upsert, set).await
}

/// Removes a record, which must be said exactly as it is; gone already is as good, also with its whole zone.
pub(super) async fn remove(context: &Context, zone_id: &str, set: ResourceRecordSet) -> Result<()> {
    let is_gone = |error: &AwsError| error.is("NoSuchHostedZone") || error.message.contains("it was not found");
    match change(context, zone_id, ChangeAction::Delete, set).await {
        Err(error) if error.downcast_ref().is_some_and(is_gone) => Ok(()),
        other => other,
    }
}

async fn change(context: &Context, zone_id: &str, action: ChangeAction, set: ResourceRecordSet) -> Result<()> {
    let name = plain(&set.name);
    let change = Change::builder().action(action).resource_record_set(set).build()?;
    let batch = ChangeBatch::builder().changes(change).build()?;
    let request = context.aws.route53.change_resource_record_sets().hosted_zone_id(zone_id).change_batch(batch);
    let answer = request.send().await.map_err(|error| {
        // AWS puts what is wrong beside the error's own message.
        let reasons = match error.as_service_error() {
            Some(ChangeResourceRecordSetsError::InvalidChangeBatch(error)) => error.messages().join("; "),
            _ => String::new(),
        };
        let error = AwsError::from(error);
        if reasons.is_empty() { error } else { AwsError { message: reasons, ..error } }
    })?;
    let Some(info) = answer.change_info else { return Ok(()) };
    let wait = Wait::new(format!("every name server to know {name}"), Duration::from_secs(5), Duration::from_secs(600));
    let look = || async {
        let answer = context.aws.route53.get_change().id(&info.id).send().await.map_err(AwsError::from)?;
        Ok(match answer.change_info.map(|info| info.status) {
            Some(ChangeStatus::Insync) | None => Poll::Ready(()),
            Some(status) => Poll::Pending(status.as_str().to_owned()),
        })
    };
    context.wait(wait, look).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_however_aws_writes_them() {
        assert_eq!(plain("Weather.Example.com."), "weather.example.com");
        assert_eq!(plain("\\052.example.com."), "*.example.com");
    }
}
