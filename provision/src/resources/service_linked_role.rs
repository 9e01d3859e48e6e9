//! A role that a service of AWS uses on our account's behalf; everyone in the account shares it.

use anyhow::Result;

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The role of a service.
#[derive(Debug)]
pub struct ServiceLinkedRole {
    /// The service's name, as `ecs.amazonaws.com`.
    pub service: String,
}

/// The name of the hint that a service has its role.
pub(crate) fn hint(service: &str) -> String {
    format!("linked role of {service}")
}

impl ServiceLinkedRole {
    /// AWS names these roles itself.
    fn role_name(&self) -> &'static str {
        match self.service.as_str() {
            "ecs.amazonaws.com" => "AWSServiceRoleForECS",
            "elasticloadbalancing.amazonaws.com" => "AWSServiceRoleForElasticLoadBalancing",
            _ => "AWSServiceRoleForApplicationAutoScaling_ECSService",
        }
    }
}

impl Resource for ServiceLinkedRole {
    const KIND: &'static str = "service-linked role";
    const SHARED: bool = true;

    type Spec = ();
    type Output = ();

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        // AWS does not delete such a role while something of ours uses it.
        if context.hint(&hint(&self.service)).await.is_some() {
            return Ok(Some(Live { spec: (), output: () }));
        }
        let answer = context.aws.iam.get_role().role_name(self.role_name()).send().await;
        Ok(answer.absent_on(&["NoSuchEntity"])?.map(|_| Live { spec: (), output: () }))
    }

    async fn create(&self, context: &Context, (): &()) -> Result<()> {
        let request = context.aws.iam.create_service_linked_role().aws_service_name(&self.service);
        match request.send().await.map_err(AwsError::from) {
            Ok(_) => Ok(()),
            // AWS says this when the role exists, in words about a suffix that cannot be chosen here.
            Err(error) if error.is("InvalidInput") && error.message.contains("has been taken") => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn update(&self, _context: &Context, _live: &Live<Self>, (): &()) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, _context: &Context, _live: &Live<Self>) -> Result<()> {
        Ok(())
    }
}
