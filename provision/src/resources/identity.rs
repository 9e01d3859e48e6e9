//! The account we are in.

use anyhow::Result;

pub use crate::aws::Caller;
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The caller.
#[derive(Debug)]
pub struct Identity;

impl Resource for Identity {
    const KIND: &'static str = "account";
    const LOOKUP: bool = true;

    type Spec = ();
    type Output = Caller;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        Ok(Some(Live { spec: (), output: context.aws.caller().await? }))
    }

    async fn create(&self, _context: &Context, (): &()) -> Result<Caller> {
        Err(super::never_changes(Self::KIND))
    }

    async fn update(&self, _context: &Context, live: &Live<Self>, (): &()) -> Result<Caller> {
        Ok(live.output.clone())
    }

    async fn delete(&self, _context: &Context, _live: &Live<Self>) -> Result<()> {
        Ok(())
    }
}
