//! The network's way to the internet.

use anyhow::Result;
use aws_sdk_ec2::types::{self, ResourceType, RouteState};
use serde::Serialize;

use super::{ec2_tags, route_table};
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The gateway with our tags.
#[derive(Debug)]
pub struct InternetGateway {
    /// The name in the stack.
    pub name: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct InternetGatewaySpec {
    /// The network it is attached to; empty while it hangs in the air.
    pub vpc_id: String,
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternetGatewayOutput {
    /// The identifier.
    pub id: String,
}

impl InternetGateway {
    async fn attach(&self, context: &Context, id: &str, vpc_id: &str) -> Result<()> {
        let request = context.aws.ec2.attach_internet_gateway().internet_gateway_id(id).vpc_id(vpc_id);
        // An earlier attempt whose answer was lost has attached it already.
        request.send().await.absent_on(&["Resource.AlreadyAssociated"])?;
        Ok(())
    }

    async fn detach(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        if live.spec.vpc_id.is_empty() {
            return Ok(());
        }
        let request = context.aws.ec2.detach_internet_gateway();
        let request = request.internet_gateway_id(&live.output.id).vpc_id(&live.spec.vpc_id);
        request.send().await.absent_on(&["Gateway.NotAttached", "InvalidInternetGatewayID.NotFound"])?;
        Ok(())
    }
}

fn gateway_of(table: &types::RouteTable) -> Option<Live<InternetGateway>> {
    let route = table.routes().iter().find(|route| route.gateway_id().is_some_and(|id| id.starts_with("igw-")))?;
    let works = route.state() == Some(&RouteState::Active);
    Some(Live {
        spec: InternetGatewaySpec { vpc_id: table.vpc_id.clone().filter(|_| works)? },
        output: InternetGatewayOutput { id: route.gateway_id.clone()? },
    })
}

impl Resource for InternetGateway {
    const KIND: &'static str = "internet gateway";

    type Spec = InternetGatewaySpec;
    type Output = InternetGatewayOutput;

    fn ec2_id<'a>(&'a self, output: &'a InternetGatewayOutput) -> Option<(&'a str, &'a str)> {
        Some((&self.name, &output.id))
    }

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        // A route that works leads to a gateway that exists and is attached, and the routes are asked for anyway.
        if let Some(live) = route_table::ours(context).await?.iter().find_map(gateway_of) {
            return Ok(Some(live));
        }
        let ask = |filters| {
            let request = context.aws.ec2.describe_internet_gateways().set_filters(filters);
            async { Ok(request.send().await.map_err(AwsError::from)?.internet_gateways.unwrap_or_default()) }
        };
        let gateways = ec2_tags::ours(context, ask).await?;
        let gateway = ec2_tags::single(gateways, Self::KIND, &self.name)?;
        let Some(gateway) = gateway else { return Ok(None) };
        let vpc_id = gateway.attachments().first().and_then(|attachment| attachment.vpc_id()).unwrap_or_default();
        Ok(Some(Live {
            spec: InternetGatewaySpec { vpc_id: vpc_id.to_owned() },
            output: InternetGatewayOutput { id: super::sent(gateway.internet_gateway_id, "the gateway's id")? },
        }))
    }

    async fn create(&self, context: &Context, spec: &InternetGatewaySpec) -> Result<InternetGatewayOutput> {
        let tags = ec2_tags::specification(&context.aws, &self.name, ResourceType::InternetGateway);
        let answer = context.aws.ec2.create_internet_gateway().tag_specifications(tags).send().await;
        let gateway = answer.map_err(AwsError::from)?.internet_gateway;
        let id = super::sent(gateway.and_then(|gateway| gateway.internet_gateway_id), "the gateway's id")?;
        self.attach(context, &id, &spec.vpc_id).await?;
        Ok(InternetGatewayOutput { id })
    }

    async fn update(
        &self,
        context: &Context,
        live: &Live<Self>,
        spec: &InternetGatewaySpec,
    ) -> Result<InternetGatewayOutput> {
        self.detach(context, live).await?;
        self.attach(context, &live.output.id, &spec.vpc_id).await?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        // Refused for minutes while public addresses of the load balancer are being released.
        self.detach(context, live).await?;
        let request = context.aws.ec2.delete_internet_gateway().internet_gateway_id(&live.output.id);
        request.send().await.absent_on(&["InvalidInternetGatewayID.NotFound"])?;
        Ok(())
    }
}
