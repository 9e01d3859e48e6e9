//! How things of EC2, which have no names, are found and marked: by our tags.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use aws_sdk_ec2::types::{self, Filter, ResourceType, Tag, TagSpecification};

use crate::aws::{Aws, AwsError, TAG_APP, TAG_ENVIRONMENT, TAG_RESOURCE};
use crate::context::Context;

/// Asks for everything of a kind with our tags, so that one question serves all resources of the kind.
fn filters(aws: &Aws) -> Option<Vec<Filter>> {
    let filter = |key: &str, value: &str| Filter::builder().name(format!("tag:{key}")).values(value).build();
    Some(vec![filter(TAG_APP, &aws.owner.app), filter(TAG_ENVIRONMENT, &aws.owner.environment)])
}

/// Whether tags give a thing this name in the stack.
pub(super) fn name_it(tags: &[Tag], resource: &str) -> bool {
    tags.iter().any(|tag| tag.key() == Some(TAG_RESOURCE) && tag.value() == Some(resource))
}

/// The tags to create a thing with: in the same call, or a lost answer would leave an orphan.
pub(super) fn specification(aws: &Aws, resource: &str, kind: ResourceType) -> TagSpecification {
    TagSpecification::builder().resource_type(kind).set_tags(Some(list(aws, resource))).build()
}

/// The same tags for a thing that exists already.
pub(super) fn list(aws: &Aws, resource: &str) -> Vec<Tag> {
    let tags = aws.owner.tags(resource).into_iter();
    tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Gives a thing our tags again.
pub(super) async fn mark(context: &Context, id: &str, resource: &str) -> Result<()> {
    let request = context.aws.ec2.create_tags().resources(id).set_tags(Some(list(&context.aws, resource)));
    request.send().await.map_err(AwsError::from)?;
    Ok(())
}

/// A thing of EC2 that has an identifier, which is never given twice, and tags, which anybody can take off.
pub(super) trait Thing {
    /// The name of the filter for its identifier.
    const FILTER: &'static str;
    /// What its identifiers begin with.
    const PREFIX: &'static str;

    fn id(&self) -> Option<&str>;
    fn tags(&self) -> &[Tag];
    fn set_tags(&mut self, tags: Vec<Tag>);
}

macro_rules! things {
    ($($type:ident: $id:ident, $filter:literal, $prefix:literal;)+) => {$(
        impl Thing for types::$type {
            const FILTER: &'static str = $filter;
            const PREFIX: &'static str = $prefix;

            fn id(&self) -> Option<&str> {
                self.$id()
            }

            fn tags(&self) -> &[Tag] {
                self.tags()
            }

            fn set_tags(&mut self, tags: Vec<Tag>) {
                self.tags = Some(tags);
            }
        }
    )+};
}

things! {
    Address: allocation_id, "allocation-id", "eipalloc-";
    FlowLog: flow_log_id, "flow-log-id", "fl-";
    InternetGateway: internet_gateway_id, "internet-gateway-id", "igw-";
    NatGateway: nat_gateway_id, "nat-gateway-id", "nat-";
    RouteTable: route_table_id, "route-table-id", "rtb-";
    SecurityGroup: group_id, "group-id", "sg-";
    Subnet: subnet_id, "subnet-id", "subnet-";
    Vpc: vpc_id, "vpc-id", "vpc-";
    VpcEndpoint: vpc_endpoint_id, "vpc-endpoint-id", "vpce-";
}

/// What the last run knew a thing by: the name of the hint with its identifier.
pub(crate) fn known(resource: &str) -> String {
    format!("{KNOWN}{resource}")
}

/// It proves whose the thing is, as the other hints of its kind do.
const KNOWN: &str = "ours: ec2 ";

/// The key of a tag that no thing has: it marks, in memory, what has lost ours.
const LOST: &str = "provision:lost";

/// Everything of a kind that is ours: what carries our tags, and what the last run knew and has lost them since.
/// `ask` takes filters.
pub(super) async fn ours<T: Thing, F>(context: &Context, ask: impl Fn(Option<Vec<Filter>>) -> F) -> Result<Vec<T>>
where
    F: Future<Output = Result<Vec<T>>>,
{
    let mut found = ask(filters(&context.aws)).await?;
    let known = context.hints(KNOWN).await.into_iter().filter(|(_, id)| id.starts_with(T::PREFIX));
    let carries = |name: &str, id: &str| found.iter().any(|it| it.id() == Some(id) && name_it(it.tags(), name));
    let lost: BTreeMap<_, _> = known.filter(|(name, id)| !carries(name, id)).map(|(name, id)| (id, name)).collect();
    if lost.is_empty() {
        return Ok(found);
    }
    let filter = Filter::builder().name(T::FILTER).set_values(Some(lost.keys().cloned().collect()));
    for mut thing in ask(Some(vec![filter.build()])).await? {
        let Some(name) = thing.id().and_then(|id| lost.get(id)) else { continue };
        let mark = Tag::builder().key(LOST).build();
        thing.set_tags(list(&context.aws, name).into_iter().chain([mark]).collect());
        found.retain(|it| it.id() != thing.id());
        found.push(thing);
    }
    Ok(found)
}

/// Whether a thing carries our tags, and not only the last run's word for it.
pub(super) fn is_tagged(thing: &impl Thing) -> bool {
    !thing.tags().iter().any(|tag| tag.key() == Some(LOST))
}

/// Takes the one thing of a name in the stack; two of them is a state that only a person can judge.
pub(super) fn single<T: Thing>(mut found: Vec<T>, kind: &str, resource: &str) -> Result<Option<T>> {
    found.retain(|thing| name_it(thing.tags(), resource));
    if found.len() > 1 {
        let ids: Vec<_> = found.iter().filter_map(Thing::id).collect();
        bail!(
            "found {} of {kind} {resource} with our tags ({}); delete the one that is not in use, then run again",
            ids.len(),
            ids.join(", ")
        );
    }
    Ok(found.into_iter().next())
}
