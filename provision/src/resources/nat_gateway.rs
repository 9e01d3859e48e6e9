//! The way out for what has no public address.

use std::time::Duration;

use anyhow::{Result, bail};
use aws_sdk_ec2::types::{self, NatGatewayState, ResourceType};
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::ec2_tags;
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};
use crate::wait::{Poll, Wait};

/// The gateway with our tags.
#[derive(Debug)]
pub struct NatGateway {
    /// The name in the stack.
    pub name: String,
}

/// What it should be; AWS changes none of it.
#[derive(Debug, Serialize)]
pub struct NatGatewaySpec {
    /// The subnet, a public one.
    pub subnet_id: String,
    /// The allocation of its address.
    pub allocation_id: String,
    /// `available`; one that a killed run left behind is still on its way there.
    pub state: String,
    /// Whether it carries our tags, by which later runs find it.
    pub tagged: bool,
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatGatewayOutput {
    /// The identifier.
    pub id: String,
}

/// Everything of this kind that is ours; what is gone stays listed for an hour.
async fn ours(context: &Context) -> Result<Vec<types::NatGateway>> {
    let ask = |filters| {
        let request = context.aws.ec2.describe_nat_gateways().set_filter(filters);
        async { Ok(request.send().await.map_err(AwsError::from)?.nat_gateways.unwrap_or_default()) }
    };
    context.once("our NAT gateways", || ec2_tags::ours(context, ask)).await
}

fn is_alive(gateway: &types::NatGateway) -> bool {
    matches!(gateway.state(), Some(NatGatewayState::Pending | NatGatewayState::Available))
}

impl NatGateway {
    async fn all(&self, context: &Context) -> Result<Vec<types::NatGateway>> {
        let mut all = ours(context).await?;
        all.retain(|gateway| ec2_tags::name_it(gateway.tags(), &self.name));
        Ok(all)
    }

    async fn find(&self, context: &Context) -> Result<Option<types::NatGateway>> {
        let mut all = self.all(context).await?;
        all.retain(is_alive);
        ec2_tags::single(all, Self::KIND, &self.name)
    }

    /// The same request, the same token; after one that failed or was deleted, another.
    async fn token(&self, context: &Context, spec: &NatGatewaySpec) -> Result<String> {
        let gone = self.all(context).await?.into_iter().filter_map(|gateway| gateway.nat_gateway_id);
        let whole = format!("{}/{}/{:?}", spec.subnet_id, spec.allocation_id, super::sorted(gone));
        Ok(HEXLOWER.encode(&Sha256::digest(whole))[..32].to_owned())
    }

    async fn available(&self, context: &Context, id: &str) -> Result<()> {
        // Usually one to two minutes.
        let wait = Wait::new("the NAT gateway to be available", Duration::from_secs(5), Duration::from_secs(600));
        let look = || async {
            let gateway = self.all(context).await?.into_iter().find(|it| it.nat_gateway_id() == Some(id));
            let Some(gateway) = gateway else { return Ok(Poll::Pending("not visible yet".to_owned())) };
            match gateway.state() {
                Some(NatGatewayState::Available) => Ok(Poll::Ready(())),
                Some(NatGatewayState::Pending) | None => Ok(Poll::Pending("pending".to_owned())),
                Some(state) => {
                    let code = gateway.failure_code().unwrap_or(state.as_str());
                    let message = gateway.failure_message().unwrap_or("AWS gives no reason");
                    bail!("NAT gateway {id} is {}: {code}: {message}; {}", state.as_str(), advice(code))
                }
            }
        };
        context.wait(wait, look).await
    }
}

/// What to do about a failed gateway.
fn advice(code: &str) -> &'static str {
    match code {
        "Gateway.NotAttached" => "the network lacks its internet gateway; run again, which attaches it first",
        "InsufficientFreeAddressesInSubnet" => {
            "the public subnet is full; find out what fills it, or widen network.cidr"
        }
        "InvalidAllocationID.NotFound" | "Resource.AlreadyAssociated" => "its address is gone or in use; run again",
        _ => "run again, which makes another one",
    }
}

impl Resource for NatGateway {
    const KIND: &'static str = "NAT gateway";
    const IMMUTABLE: &'static [&'static str] = &["subnet_id", "allocation_id"];
    const TRANSIENT: &'static [&'static str] = &["state"];

    type Spec = NatGatewaySpec;
    type Output = NatGatewayOutput;

    fn ec2_id<'a>(&'a self, output: &'a NatGatewayOutput) -> Option<(&'a str, &'a str)> {
        Some((&self.name, &output.id))
    }

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(found) = self.find(context).await? else { return Ok(None) };
        let address = found.nat_gateway_addresses().first();
        Ok(Some(Live {
            spec: NatGatewaySpec {
                tagged: ec2_tags::is_tagged(&found),
                allocation_id: address.and_then(|it| it.allocation_id.clone()).unwrap_or_default(),
                state: found.state().map_or("", |state| state.as_str()).to_owned(),
                subnet_id: super::sent(found.subnet_id, "the gateway's subnet")?,
            },
            output: NatGatewayOutput { id: super::sent(found.nat_gateway_id, "the gateway's id")? },
        }))
    }

    async fn create(&self, context: &Context, spec: &NatGatewaySpec) -> Result<NatGatewayOutput> {
        let request = context
            .aws
            .ec2
            .create_nat_gateway()
            .client_token(self.token(context, spec).await?)
            .subnet_id(&spec.subnet_id)
            .allocation_id(&spec.allocation_id)
            .tag_specifications(ec2_tags::specification(&context.aws, &self.name, ResourceType::Natgateway));
        let made = request.send().await.map_err(AwsError::from)?.nat_gateway;
        let id = super::sent(made.and_then(|gateway| gateway.nat_gateway_id), "the gateway's id")?;
        self.available(context, &id).await?;
        Ok(NatGatewayOutput { id })
    }

    async fn update(&self, context: &Context, live: &Live<Self>, _: &NatGatewaySpec) -> Result<NatGatewayOutput> {
        if !live.spec.tagged {
            ec2_tags::mark(context, &live.output.id, &self.name).await?;
        }
        self.available(context, &live.output.id).await?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.ec2.delete_nat_gateway().nat_gateway_id(&live.output.id);
        request.send().await.absent_on(&["NatGatewayNotFound"])?;
        // Until it is really gone, its address cannot be released, nor its subnet deleted.
        let wait = Wait::new("the NAT gateway to be gone", Duration::from_secs(5), Duration::from_secs(600));
        let look = || async {
            let all = self.all(context).await?;
            let going = all.iter().find(|it| it.nat_gateway_id() == Some(&live.output.id));
            Ok(match going.and_then(|it| it.state()) {
                None | Some(NatGatewayState::Deleted) => Poll::Ready(()),
                Some(state) => Poll::Pending(state.as_str().to_owned()),
            })
        };
        context.wait(wait, look).await
    }
}
