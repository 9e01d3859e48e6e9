//! The zone in Route 53 that holds the records of our domain; it is somebody's, and never made or deleted here.

use anyhow::Result;

use super::dns;
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The public zone of a name.
#[derive(Debug)]
pub struct HostedZone {
    /// The name, as `example.com`.
    pub name: String,
}

impl Resource for HostedZone {
    const KIND: &'static str = "hosted zone";
    const LOOKUP: bool = true;

    type Spec = ();
    /// Its identifier.
    type Output = String;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        Ok(dns::zone_id(context, &self.name).await?.map(|id| Live { spec: (), output: id }))
    }

    async fn create(&self, _context: &Context, (): &()) -> Result<String> {
        Err(super::never_changes(Self::KIND))
    }

    async fn update(&self, _context: &Context, live: &Live<Self>, (): &()) -> Result<String> {
        Ok(live.output.clone())
    }

    async fn delete(&self, _context: &Context, _live: &Live<Self>) -> Result<()> {
        Ok(())
    }
}
