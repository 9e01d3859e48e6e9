//! The account we are in.

use anyhow::Result;

use crate::aws::AwsError;
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The caller.
#[derive(Debug)]
pub struct Identity;

/// Who the caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: String,
    /// The caller's own name.
    pub arn: String,
}

impl Resource for Identity {
    const KIND: &'static str = "account";
    const LOOKUP: bool = true;

    type Spec = ();
    type Output = Caller;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let ask = || async { Ok(context.aws.sts.get_caller_identity().send().await.map_err(AwsError::from)?) };
        let caller = context.once("who we are", ask).await?;
        let output = Caller {
            account: super::sent(caller.account, "the account")?,
            arn: super::sent(caller.arn, "the caller's ARN")?,
        };
        Ok(Some(Live { spec: (), output }))
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
