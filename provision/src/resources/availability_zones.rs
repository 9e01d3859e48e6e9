//! The availability zones of the region, which differ from account to account.

use anyhow::Result;
use aws_sdk_ec2::types::Filter;

use crate::aws::AwsError;
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The zones of the region.
#[derive(Debug)]
pub struct AvailabilityZones;

/// The name of the hint with the zones, separated by spaces.
pub(crate) const HINT: &str = "availability zones";

impl Resource for AvailabilityZones {
    const KIND: &'static str = "availability zones";
    const LOOKUP: bool = true;

    type Spec = ();
    type Output = Vec<String>;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        // Zones are chosen once, for the first deploy; a run that finds the choice made has nothing to ask.
        if let Some(known) = context.hint(HINT).await {
            return Ok(Some(Live { spec: (), output: known.split(' ').map(ToOwned::to_owned).collect() }));
        }
        let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
        let answer = context
            .aws
            .ec2
            .describe_availability_zones()
            // Local and wavelength zones carry no load balancers.
            .filters(filter("zone-type", "availability-zone"))
            .filters(filter("state", "available"))
            .send()
            .await
            .map_err(AwsError::from)?;
        let zones = answer.availability_zones.unwrap_or_default();
        let mut names: Vec<_> = zones.into_iter().filter_map(|zone| zone.zone_name).collect();
        names.sort_unstable();
        if names.len() < 2 {
            anyhow::bail!("region {} offers {} zones, and a load balancer needs two", context.aws.region, names.len());
        }
        Ok(Some(Live { spec: (), output: names }))
    }

    async fn create(&self, _context: &Context, (): &()) -> Result<Vec<String>> {
        Err(super::never_changes(Self::KIND))
    }

    async fn update(&self, _context: &Context, live: &Live<Self>, (): &()) -> Result<Vec<String>> {
        Ok(live.output.clone())
    }

    async fn delete(&self, _context: &Context, _live: &Live<Self>) -> Result<()> {
        Ok(())
    }
}
