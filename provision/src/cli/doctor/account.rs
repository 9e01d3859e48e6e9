//! Who calls, and where.

use anyhow::Result;
use aws_sdk_ec2::types::Filter;

use super::super::session::Session;
use super::Finding;
use crate::aws::AwsError;
use crate::context::Context;

pub(super) async fn look(session: &Session<'_>, context: &Context) -> Vec<Finding> {
    let (caller, region) = tokio::join!(caller(session, context), region(session, context));
    vec![Finding::of("account", caller), region]
}

async fn caller(session: &Session<'_>, context: &Context) -> Result<Finding> {
    const WHAT: &str = "account";
    let caller = context.aws.caller().await?;
    let text = format!("{}, in {}", caller.arn, caller.account);
    Ok(match &session.deployment.account {
        Some(_) => Finding::good(WHAT, format_args!("{text}, as `account` says")),
        None => {
            Finding::good(WHAT, format_args!("{text}; with `account` in the configuration no other is ever touched"))
        }
    })
}

/// A region that the account has not switched on refuses every call, and one with few zones cannot hold the network.
async fn region(session: &Session<'_>, context: &Context) -> Finding {
    const WHAT: &str = "region";
    let (name, wanted) = (&session.deployment.region, session.deployment.network.zones);
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let request = context.aws.ec2.describe_availability_zones();
    let request = request.filters(filter("zone-type", "availability-zone")).filters(filter("state", "available"));
    match request.send().await.map_err(AwsError::from) {
        Err(error) if error.is("OptInRequired") || error.is("AuthFailure") => Finding::bad(
            WHAT,
            format_args!("{name} does not know the account ({error}); switch the region on in the account's settings"),
        ),
        Err(error) => Finding::bad(WHAT, format_args!("{name} does not answer: {error}")),
        Ok(answer) => {
            let zones = answer.availability_zones().len();
            let text = format!("{name}, of whose {zones} zones {wanted} are used");
            if zones >= wanted {
                return Finding::good(WHAT, text);
            }
            Finding::bad(WHAT, format_args!("{name} has {zones} zones; lower network.zones, which is {wanted}"))
        }
    }
}
