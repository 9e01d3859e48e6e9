//! An account with our stack in it, and how somebody finds things there.

use std::time::Duration;

use aws_sdk_ec2::types::{Filter, ResourceType, RouteTable, Tag, TagSpecification};
use aws_sdk_ecs::types::Service;
use aws_sdk_efs::types::{AccessPointDescription, MountTargetDescription};
use local_aws::Cloud;
use local_aws::checks::{converges, hands};
use local_aws::matrix::harden;
use local_aws::runs::Runs;
use local_aws::world::Kind;
use provision::aws::Aws;
use provision::guard::Access;
use provision::names::Names;

/// An account, and somebody else's hands in it.
pub(crate) struct Account {
    pub(crate) runs: Runs,
    pub(crate) names: Names,
    /// Clients that know nothing of the tool.
    pub(crate) aws: Aws,
}

impl Account {
    fn of(runs: Runs) -> Self {
        Self { names: Names::of(&runs.deployment), aws: hands(&runs), runs }
    }

    /// An account in which nothing is deployed yet.
    pub(crate) async fn empty() -> Self {
        Self::of(Runs::on(Cloud::default()).await.unwrap())
    }

    /// An account in which everything is as `staging` describes it.
    pub(crate) async fn deployed() -> Self {
        Self::with(|_| ()).await
    }

    /// One with some options.
    pub(crate) async fn with(options: impl FnOnce(&mut Runs)) -> Self {
        let mut runs = Runs::on(Cloud::default()).await.unwrap();
        options(&mut runs);
        converges(&runs).await.unwrap();
        Self::of(runs)
    }

    /// One with private subnets behind a NAT gateway.
    pub(crate) async fn with_nat() -> Self {
        Self::with(|runs| runs.deployment.network.nat_gateways = 1).await
    }

    /// One that answers to a name of its own.
    pub(crate) async fn with_domain() -> Self {
        Self::with(Runs::answer_to_a_name).await
    }

    /// One with everything on that is off by default.
    pub(crate) async fn hardened() -> Self {
        Self::with(harden_all).await
    }

    /// An account in which nothing of it is deployed yet.
    pub(crate) async fn to_be_hardened() -> Self {
        let mut runs = Runs::on(Cloud::default()).await.unwrap();
        harden_all(&mut runs);
        Self::of(runs)
    }

    /// Clients that mark what they make as ours.
    pub(crate) fn ours(&self) -> Aws {
        self.runs.cloud.aws(self.runs.owner(), Access::ReadWrite)
    }

    /// Lets minutes pass.
    pub(crate) async fn minutes(&self, minutes: u64) {
        tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
        // The first call makes the account see the new time.
        self.aws.ec2.describe_vpcs().send().await.unwrap();
    }

    pub(crate) async fn vpc(&self) -> String {
        let found = self.aws.ec2.describe_vpcs().filters(named("network")).send().await.unwrap();
        found.vpcs()[0].vpc_id().unwrap().to_owned()
    }

    pub(crate) async fn subnet(&self, name: &str) -> String {
        let found = self.aws.ec2.describe_subnets().filters(named(name)).send().await.unwrap();
        found.subnets()[0].subnet_id().unwrap().to_owned()
    }

    pub(crate) async fn gateway(&self) -> String {
        let found = self.aws.ec2.describe_internet_gateways().filters(named("internet")).send().await.unwrap();
        found.internet_gateways()[0].internet_gateway_id().unwrap().to_owned()
    }

    pub(crate) async fn route_table(&self, name: &str) -> RouteTable {
        let found = self.aws.ec2.describe_route_tables().filters(named(name)).send().await.unwrap();
        found.route_tables()[0].clone()
    }

    pub(crate) async fn group(&self, name: &str) -> String {
        let found = self.aws.ec2.describe_security_groups().filters(named(name)).send().await.unwrap();
        found.security_groups()[0].group_id().unwrap().to_owned()
    }

    pub(crate) async fn nat(&self) -> String {
        let found = self.aws.ec2.describe_nat_gateways().filter(named("nat-1")).send().await.unwrap();
        let alive =
            found.nat_gateways().iter().find(|it| it.state().is_some_and(|state| state.as_str() == "available"));
        alive.unwrap().nat_gateway_id().unwrap().to_owned()
    }

    pub(crate) async fn address(&self) -> String {
        let found = self.aws.ec2.describe_addresses().filters(named("nat-address-1")).send().await.unwrap();
        found.addresses()[0].allocation_id().unwrap().to_owned()
    }

    fn balancing(&self, kind: Kind, field: &str, part: &str) -> String {
        self.runs.cloud.world(|world| {
            let mut all = world.load_balancing.all(kind);
            all.find(|(_, it)| it.field(field).contains(part)).unwrap().0.clone()
        })
    }

    pub(crate) fn load_balancer(&self) -> String {
        self.balancing(Kind::LoadBalancer, "Name", "")
    }

    pub(crate) fn listener(&self, port: &str) -> String {
        self.balancing(Kind::Listener, "Port", port)
    }

    pub(crate) fn rule(&self) -> String {
        self.balancing(Kind::Rule, "Priority", "10")
    }

    /// The target group `page` or `api`.
    pub(crate) fn targets(&self, name: &str) -> String {
        self.balancing(Kind::TargetGroup, "Name", &format!("-{name}-"))
    }

    pub(crate) fn target_group_name(&self, name: &str) -> String {
        let arn = self.targets(name);
        self.runs.cloud.world(|world| world.load_balancing.get(&arn).unwrap().field("Name").to_owned())
    }

    pub(crate) async fn file_system(&self) -> String {
        let found = self.aws.efs.describe_file_systems().send().await.unwrap();
        found.file_systems()[0].file_system_id().to_owned()
    }

    pub(crate) async fn access_point(&self) -> AccessPointDescription {
        self.aws.efs.describe_access_points().send().await.unwrap().access_points()[0].clone()
    }

    pub(crate) async fn mount_targets(&self) -> Vec<MountTargetDescription> {
        let found = self.aws.efs.describe_mount_targets().file_system_id(self.file_system().await).send().await;
        found.unwrap().mount_targets.unwrap()
    }

    pub(crate) async fn service(&self) -> Service {
        let request = self.aws.ecs.describe_services().cluster(self.names.cluster()).services(self.names.service());
        request.send().await.unwrap().services()[0].clone()
    }

    pub(crate) fn topic(&self) -> String {
        format!("arn:aws:sns:{}:{}:{}", local_aws::REGION, local_aws::ACCOUNT, self.names.topic())
    }
}

/// Everything that is off by default, also for what holds data: nothing was made without it.
fn harden_all(runs: &mut Runs) {
    harden(runs);
    runs.deployment.encryption.disk_and_images = true;
}

/// What carries our name of it in its tags.
pub(crate) fn named(name: &str) -> Filter {
    Filter::builder().name("tag:provision:resource").values(name).build()
}

/// The names of the tags by which the tool knows its own.
pub(crate) const TAGS: [&str; 3] = ["provision:app", "provision:environment", "provision:resource"];

/// The same as a list of texts.
pub(crate) fn our_tags() -> Option<Vec<String>> {
    Some(TAGS.map(ToOwned::to_owned).into())
}

/// Our tags on something that somebody makes of EC2.
pub(crate) fn like_ours(account: &Account, name: &str, kind: ResourceType) -> TagSpecification {
    let tags = account.ours().owner.tags(name).into_iter();
    let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
    TagSpecification::builder().resource_type(kind).set_tags(Some(tags.collect())).build()
}
