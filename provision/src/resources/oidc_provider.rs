//! Whose word about identities the account takes; everyone in the account shares it.

use anyhow::Result;
use aws_sdk_iam::types::Tag;
use serde::Serialize;

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The provider at an address, of which an account has at most one.
#[derive(Debug)]
pub struct OidcProvider {
    /// The address without `https://`.
    pub host: String,
    /// Whom its tokens must be for.
    pub audience: String,
}

/// What it should be.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct OidcProviderSpec {
    /// Our audience, if it is among those it knows; the others are other people's.
    pub audience: Option<String>,
}

impl OidcProvider {
    async fn arn(&self, context: &Context) -> Result<String> {
        Ok(arn(&context.aws.caller().await?.account, &self.host))
    }
}

/// The ARN of a provider.
pub fn arn(account: &str, host: &str) -> String {
    format!("arn:aws:iam::{account}:oidc-provider/{host}")
}

impl Resource for OidcProvider {
    const KIND: &'static str = "OIDC provider";
    const SHARED: bool = true;

    type Spec = OidcProviderSpec;
    /// The ARN.
    type Output = String;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let arn = self.arn(context).await?;
        let answer = context.aws.iam.get_open_id_connect_provider().open_id_connect_provider_arn(&arn).send().await;
        let Some(found) = answer.absent_on(&["NoSuchEntity"])? else { return Ok(None) };
        let audience = found.client_id_list().iter().find(|known| **known == self.audience).cloned();
        Ok(Some(Live { spec: OidcProviderSpec { audience }, output: arn }))
    }

    async fn create(&self, context: &Context, _spec: &OidcProviderSpec) -> Result<String> {
        let tags = context.aws.owner.tags("github").into_iter();
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        // AWS knows the certificates of well-known hosts, so no thumbprint is given.
        let request = context
            .aws
            .iam
            .create_open_id_connect_provider()
            .url(format!("https://{}", self.host))
            .client_id_list(&self.audience)
            .set_tags(Some(tags.collect::<Result<_, _>>()?));
        request.send().await.map_err(AwsError::from)?;
        self.arn(context).await
    }

    async fn update(&self, context: &Context, live: &Live<Self>, _spec: &OidcProviderSpec) -> Result<String> {
        let request = context.aws.iam.add_client_id_to_open_id_connect_provider();
        let request = request.open_id_connect_provider_arn(&live.output).client_id(&self.audience);
        request.send().await.map_err(AwsError::from)?;
        Ok(live.output.clone())
    }

    async fn delete(&self, _context: &Context, _live: &Live<Self>) -> Result<()> {
        Ok(())
    }
}
