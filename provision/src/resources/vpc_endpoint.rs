//! A way from the network to a service of AWS that does not lead over the internet.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use aws_sdk_ec2::operation::modify_vpc_endpoint::builders::ModifyVpcEndpointFluentBuilder;
use aws_sdk_ec2::types::{self, Filter, ResourceType, VpcEndpointType};
use serde::Serialize;
use serde_json::Value;

use super::{ec2_calls, ec2_tags};
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};
use crate::wait::{Poll, Wait};

/// The endpoint with our tags.
#[derive(Debug)]
pub struct VpcEndpoint {
    /// The name in the stack.
    pub name: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct VpcEndpointSpec {
    /// The network.
    pub vpc_id: String,
    /// The service, as `com.amazonaws.ap-northeast-1.logs`.
    pub service: String,
    /// Where it has addresses, or which routes lead to it.
    pub reach: Reach,
    /// What may be done through it.
    pub policy: Value,
    /// `available`; one that a killed run left behind is still on its way there.
    pub state: String,
    /// Whether it carries our tags, by which later runs find it.
    pub tagged: bool,
}

/// The two kinds of endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Addresses in subnets, for an hourly price each.
    Interface {
        /// The subnets, sorted.
        subnets: Vec<String>,
        /// Who may call, sorted.
        security_groups: Vec<String>,
        /// Whether the service's public name leads to it.
        private_dns: bool,
    },
    /// Routes, for nothing; only S3 and DynamoDB have it.
    Gateway {
        /// The route tables, sorted.
        route_tables: Vec<String>,
    },
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpcEndpointOutput {
    /// The identifier.
    pub id: String,
}

/// Everything of this kind that is ours; what is gone stays listed for a while.
async fn ours(context: &Context) -> Result<Vec<types::VpcEndpoint>> {
    let ask = |filters| {
        let request = context.aws.ec2.describe_vpc_endpoints().set_filters(filters);
        async { Ok(request.send().await.map_err(AwsError::from)?.vpc_endpoints.unwrap_or_default()) }
    };
    context.once("our VPC endpoints", || ec2_tags::ours(context, ask)).await
}

/// In lower case: that is how EC2 writes states, whatever its model says (`Available`), so they are no variants.
fn state(endpoint: &types::VpcEndpoint) -> String {
    endpoint.state().map(|state| state.as_str().to_ascii_lowercase()).unwrap_or_default()
}

fn is_gone(endpoint: &types::VpcEndpoint) -> bool {
    ["deleting", "deleted"].contains(&state(endpoint).as_str())
}

impl VpcEndpoint {
    async fn find(&self, context: &Context) -> Result<Option<types::VpcEndpoint>> {
        let mut all = ours(context).await?;
        all.retain(|endpoint| !is_gone(endpoint));
        ec2_tags::single(all, Self::KIND, &self.name)
    }

    async fn request(&self, context: &Context, spec: &VpcEndpointSpec, token: String) -> Result<String> {
        let request = context
            .aws
            .ec2
            .create_vpc_endpoint()
            .client_token(token)
            .vpc_id(&spec.vpc_id)
            .service_name(&spec.service)
            .policy_document(spec.policy.to_string())
            .tag_specifications(ec2_tags::specification(&context.aws, &self.name, ResourceType::VpcEndpoint));
        let request = match &spec.reach {
            Reach::Interface { subnets, security_groups, private_dns } => request
                .vpc_endpoint_type(VpcEndpointType::Interface)
                .set_subnet_ids(Some(subnets.clone()))
                .set_security_group_ids(Some(security_groups.clone()))
                .private_dns_enabled(*private_dns),
            Reach::Gateway { route_tables } => {
                request.vpc_endpoint_type(VpcEndpointType::Gateway).set_route_table_ids(Some(route_tables.clone()))
            }
        };
        let made = request.send().await.map_err(AwsError::from)?.vpc_endpoint;
        super::sent(made.and_then(|endpoint| endpoint.vpc_endpoint_id), "the endpoint's id")
    }

    async fn available(&self, context: &Context, id: &str) -> Result<()> {
        // One to three minutes with addresses, and none with routes.
        let wait = Wait::new("the endpoint to be available", Duration::from_secs(5), Duration::from_secs(600));
        let look = || async {
            let endpoint = ours(context).await?.into_iter().find(|it| it.vpc_endpoint_id() == Some(id));
            let Some(endpoint) = endpoint else { return Ok(Poll::Pending("not visible yet".to_owned())) };
            match state(&endpoint).as_str() {
                "available" => Ok(Poll::Ready(())),
                "pending" | "" => Ok(Poll::Pending("pending".to_owned())),
                state => {
                    let why = endpoint.last_error().and_then(|error| error.message());
                    let why = why.unwrap_or("AWS gives no reason");
                    bail!("VPC endpoint {id} is {state}: {why}; delete it, then run again, which makes another one")
                }
            }
        };
        context.wait(wait, look).await
    }

    /// Its network interfaces hold subnets and security groups.
    async fn gone(&self, context: &Context, id: &str) -> Result<()> {
        let interfaces = Filter::builder().name("description").values(format!("VPC Endpoint Interface {id}")).build();
        let wait = Wait::new("the endpoint to be gone", Duration::from_secs(5), Duration::from_secs(600));
        let look = || async {
            let all = ours(context).await?;
            let still = all.iter().find(|it| it.vpc_endpoint_id() == Some(id));
            if let Some(state) = still.map(state).filter(|state| state != "deleted") {
                return Ok(Poll::Pending(state));
            }
            let request = context.aws.ec2.describe_network_interfaces().filters(interfaces.clone());
            Ok(match request.send().await.map_err(AwsError::from)?.network_interfaces().len() {
                0 => Poll::Ready(()),
                count => Poll::Pending(format!("{count} network interfaces left")),
            })
        };
        context.wait(wait, look).await
    }
}

/// What is in one list and not in the other; nothing is said of a list without.
fn beyond(list: &[String], other: &[String]) -> Option<Vec<String>> {
    let more: Vec<_> = list.iter().filter(|it| !other.contains(it)).cloned().collect();
    (!more.is_empty()).then_some(more)
}

/// Asks for what differs; AWS takes each list as what is added to it and what is removed.
fn ask(
    request: ModifyVpcEndpointFluentBuilder,
    live: &VpcEndpointSpec,
    spec: &VpcEndpointSpec,
) -> ModifyVpcEndpointFluentBuilder {
    let request = if live.policy == spec.policy { request } else { request.policy_document(spec.policy.to_string()) };
    match (&live.reach, &spec.reach) {
        (
            Reach::Interface { subnets, security_groups, private_dns },
            Reach::Interface { subnets: in_subnets, security_groups: of_groups, private_dns: named },
        ) => request
            .set_add_subnet_ids(beyond(in_subnets, subnets))
            .set_remove_subnet_ids(beyond(subnets, in_subnets))
            .set_add_security_group_ids(beyond(of_groups, security_groups))
            .set_remove_security_group_ids(beyond(security_groups, of_groups))
            .set_private_dns_enabled((private_dns != named).then_some(*named)),
        (Reach::Gateway { route_tables }, Reach::Gateway { route_tables: in_tables }) => request
            .set_add_route_table_ids(beyond(in_tables, route_tables))
            .set_remove_route_table_ids(beyond(route_tables, in_tables)),
        _ => request,
    }
}

fn reach(endpoint: &types::VpcEndpoint) -> Reach {
    if endpoint.vpc_endpoint_type() == Some(&VpcEndpointType::Gateway) {
        return Reach::Gateway { route_tables: super::sorted(endpoint.route_table_ids().iter().cloned()) };
    }
    let groups = endpoint.groups().iter().filter_map(|group| group.group_id.clone());
    Reach::Interface {
        subnets: super::sorted(endpoint.subnet_ids().iter().cloned()),
        security_groups: super::sorted(groups),
        private_dns: endpoint.private_dns_enabled().unwrap_or_default(),
    }
}

impl Resource for VpcEndpoint {
    const KIND: &'static str = "VPC endpoint";
    /// One of the other type differs in both variants as a whole.
    const IMMUTABLE: &'static [&'static str] = &["vpc_id", "service", "reach.interface", "reach.gateway"];
    const WHEN_BLOCKED: Option<&'static str> = Some(
        "an endpoint holds nothing: delete it by hand (`aws ec2 delete-vpc-endpoints`), and the next deploy makes another \
         one",
    );
    const TRANSIENT: &'static [&'static str] = &["state"];

    type Spec = VpcEndpointSpec;
    type Output = VpcEndpointOutput;

    fn ec2_id<'a>(&'a self, output: &'a VpcEndpointOutput) -> Option<(&'a str, &'a str)> {
        Some((&self.name, &output.id))
    }

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(found) = self.find(context).await? else { return Ok(None) };
        let policy = found.policy_document().unwrap_or("null");
        Ok(Some(Live {
            spec: VpcEndpointSpec {
                tagged: ec2_tags::is_tagged(&found),
                reach: reach(&found),
                policy: serde_json::from_str(policy).context("the endpoint's policy is not JSON")?,
                state: state(&found),
                vpc_id: super::sent(found.vpc_id, "the endpoint's network")?,
                service: super::sent(found.service_name, "the endpoint's service")?,
            },
            output: VpcEndpointOutput { id: super::sent(found.vpc_endpoint_id, "the endpoint's id")? },
        }))
    }

    async fn create(&self, context: &Context, spec: &VpcEndpointSpec) -> Result<VpcEndpointOutput> {
        let request = |token| self.request(context, spec, token);
        let is_there = |id: String| async move {
            let mut all = ours(context).await?.into_iter();
            Ok(all.any(|it| it.vpc_endpoint_id() == Some(id.as_str()) && !is_gone(&it)))
        };
        let id = ec2_calls::make(context, &format!("{spec:?}"), request, is_there).await?;
        self.available(context, &id).await?;
        Ok(VpcEndpointOutput { id })
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &VpcEndpointSpec) -> Result<VpcEndpointOutput> {
        let id = &live.output.id;
        if !live.spec.tagged {
            ec2_tags::mark(context, id, &self.name).await?;
        }
        self.available(context, id).await?;
        if live.spec.policy != spec.policy || live.spec.reach != spec.reach {
            let request = context.aws.ec2.modify_vpc_endpoint().vpc_endpoint_id(id);
            ask(request, &live.spec, spec).send().await.map_err(AwsError::from)?;
            self.available(context, id).await?;
        }
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let id = &live.output.id;
        let request = context.aws.ec2.delete_vpc_endpoints().vpc_endpoint_ids(id);
        let answer = request.send().await.absent_on(GONE)?;
        ec2_calls::all_done(&answer.and_then(|answer| answer.unsuccessful).unwrap_or_default(), GONE)?;
        self.gone(context, id).await
    }
}

/// How EC2 says that there is no such endpoint.
const GONE: &[&str] = &["InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound"];
