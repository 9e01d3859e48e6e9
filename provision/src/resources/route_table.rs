//! The routes of some subnets: everything else goes to the internet, directly or by NAT.

use anyhow::Result;
use aws_sdk_ec2::types::{self, ResourceType};
use serde::Serialize;

use super::ec2_tags;
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

const EVERYWHERE: &str = "0.0.0.0/0";

/// The route table with our tags.
#[derive(Debug)]
pub struct RouteTable {
    /// The name in the stack.
    pub name: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct RouteTableSpec {
    /// The network.
    pub vpc_id: String,
    /// The gateway for everything outside the network.
    pub default_gateway: String,
    /// The subnets that use these routes, sorted.
    pub subnets: Vec<String>,
    /// Whether it carries our tags, by which later runs find it.
    pub tagged: bool,
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTableOutput {
    /// The identifier.
    pub id: String,
}

/// Everything of this kind that is ours.
pub(super) async fn ours(context: &Context) -> Result<Vec<types::RouteTable>> {
    let ask = |filters| {
        let request = context.aws.ec2.describe_route_tables().set_filters(filters);
        async { Ok(request.send().await.map_err(AwsError::from)?.route_tables.unwrap_or_default()) }
    };
    context.once("our route tables", || ec2_tags::ours(context, ask)).await
}

impl RouteTable {
    async fn find(&self, context: &Context) -> Result<Option<types::RouteTable>> {
        ec2_tags::single(ours(context).await?, Self::KIND, &self.name)
    }

    async fn set_default_route(&self, context: &Context, id: &str, gateway: &str) -> Result<()> {
        let (nat, internet): (Vec<_>, Vec<_>) = [gateway.to_owned()].into_iter().partition(|id| id.starts_with("nat-"));
        let (nat, internet) = (nat.into_iter().next(), internet.into_iter().next());
        let create = context.aws.ec2.create_route().route_table_id(id).destination_cidr_block(EVERYWHERE);
        let create = create.set_nat_gateway_id(nat.clone()).set_gateway_id(internet.clone());
        if create.send().await.absent_on(&["RouteAlreadyExists"])?.is_none() {
            let replace = context.aws.ec2.replace_route().route_table_id(id).destination_cidr_block(EVERYWHERE);
            let replace = replace.set_nat_gateway_id(nat).set_gateway_id(internet);
            replace.send().await.map_err(AwsError::from)?;
        }
        Ok(())
    }

    /// Gives the subnets these routes, whatever routes they had.
    async fn associate(&self, context: &Context, id: &str, subnets: &[String]) -> Result<()> {
        for subnet in subnets {
            let request = context.aws.ec2.associate_route_table().route_table_id(id).subnet_id(subnet);
            if request.send().await.absent_on(&["Resource.AlreadyAssociated"])?.is_none() {
                self.replace_association(context, id, subnet).await?;
            }
        }
        Ok(())
    }

    /// Takes a subnet over from the table whose routes it has; it is never without any.
    async fn replace_association(&self, context: &Context, id: &str, subnet: &str) -> Result<()> {
        let of_subnet = types::Filter::builder().name("association.subnet-id").values(subnet).build();
        let answer = context.aws.ec2.describe_route_tables().filters(of_subnet).send().await.map_err(AwsError::from)?;
        let association = answer.route_tables().iter().flat_map(|table| table.associations());
        let association = association.into_iter().find(|it| it.subnet_id() == Some(subnet));
        let Some(association) = association.filter(|it| it.route_table_id() != Some(id)) else { return Ok(()) };
        let request = context.aws.ec2.replace_route_table_association().route_table_id(id);
        let request = request.set_association_id(association.route_table_association_id.clone());
        request.send().await.map_err(AwsError::from)?;
        Ok(())
    }

    /// Takes these routes from subnets that should have others.
    async fn release(&self, context: &Context, keep: &[String]) -> Result<()> {
        let Some(table) = self.find(context).await? else { return Ok(()) };
        let surplus = |it: &&types::RouteTableAssociation| it.subnet_id.as_ref().is_some_and(|id| !keep.contains(id));
        for association in table.associations().iter().filter(surplus) {
            let request = context.aws.ec2.disassociate_route_table();
            let request = request.set_association_id(association.route_table_association_id.clone());
            request.send().await.absent_on(&["InvalidAssociationID.NotFound"])?;
        }
        Ok(())
    }
}

fn associated_subnets(table: &types::RouteTable) -> Vec<String> {
    let subnets = table.associations().iter().filter_map(|association| association.subnet_id.clone());
    super::sorted(subnets)
}

impl Resource for RouteTable {
    const KIND: &'static str = "route table";
    const IMMUTABLE: &'static [&'static str] = &["vpc_id"];

    type Spec = RouteTableSpec;
    type Output = RouteTableOutput;

    fn ec2_id<'a>(&'a self, output: &'a RouteTableOutput) -> Option<(&'a str, &'a str)> {
        Some((&self.name, &output.id))
    }

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(table) = self.find(context).await? else { return Ok(None) };
        let default = table.routes().iter().find(|route| route.destination_cidr_block() == Some(EVERYWHERE));
        Ok(Some(Live {
            spec: RouteTableSpec {
                default_gateway: default
                    .and_then(|route| route.gateway_id.clone().or(route.nat_gateway_id.clone()))
                    .unwrap_or_default(),
                subnets: associated_subnets(&table),
                tagged: ec2_tags::is_tagged(&table),
                vpc_id: super::sent(table.vpc_id, "the route table's VPC")?,
            },
            output: RouteTableOutput { id: super::sent(table.route_table_id, "the route table's id")? },
        }))
    }

    async fn create(&self, context: &Context, spec: &RouteTableSpec) -> Result<RouteTableOutput> {
        let tags = ec2_tags::specification(&context.aws, &self.name, ResourceType::RouteTable);
        let request = context.aws.ec2.create_route_table().vpc_id(&spec.vpc_id).tag_specifications(tags);
        let table = request.send().await.map_err(AwsError::from)?.route_table;
        let id = super::sent(table.and_then(|table| table.route_table_id), "the route table's id")?;
        self.set_default_route(context, &id, &spec.default_gateway).await?;
        self.associate(context, &id, &spec.subnets).await?;
        Ok(RouteTableOutput { id })
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &RouteTableSpec) -> Result<RouteTableOutput> {
        if !live.spec.tagged {
            ec2_tags::mark(context, &live.output.id, &self.name).await?;
        }
        self.set_default_route(context, &live.output.id, &spec.default_gateway).await?;
        let missing: Vec<_> = spec.subnets.iter().filter(|id| !live.spec.subnets.contains(id)).cloned().collect();
        self.associate(context, &live.output.id, &missing).await?;
        if live.spec.subnets.iter().any(|id| !spec.subnets.contains(id)) {
            self.release(context, &spec.subnets).await?;
        }
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        self.release(context, &[]).await?;
        let request = context.aws.ec2.delete_route_table().route_table_id(&live.output.id);
        request.send().await.absent_on(&["InvalidRouteTableID.NotFound"])?;
        Ok(())
    }
}
