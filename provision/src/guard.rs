//! Stands between the SDK and the network: a plan cannot write, and no creation is sent twice.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;

/// What the clients may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only operations that read.
    ReadOnly,
    /// Everything.
    ReadWrite,
}

impl Access {
    pub(crate) fn interceptor(self) -> Guard {
        Guard { access: self }
    }
}

/// The interceptor that every client carries.
#[derive(Debug)]
pub(crate) struct Guard {
    access: Access,
}

/// Operations whose name does not begin with a reading verb and that still change nothing.
const ALSO_READS: &[&str] = &["BatchGetImage", "BatchCheckLayerAvailability", "FilterLogEvents"];

fn reads(operation: &str) -> bool {
    ["Get", "List", "Describe", "Head"].iter().any(|verb| operation.starts_with(verb))
        || ALSO_READS.contains(&operation)
}

/// Operations that make something new each time they arrive.
///
/// The SDK would repeat them after a timeout or a 5xx, when the first one may well have worked.
/// The executor looks first instead (see [`crate::execute`]).
fn makes_something(operation: &str) -> bool {
    const VERBS: [&str; 7] = ["Create", "Allocate", "Register", "Request", "Run", "Import", "Execute"];
    VERBS.iter().any(|verb| operation.starts_with(verb))
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Guard {
    fn name(&self) -> &'static str {
        "ProvisionGuard"
    }

    // The operation's name is first known here; in `read_before_execution` it is not yet.
    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(metadata) = settings.load::<Metadata>().cloned() else {
            return Err("the SDK did not say which operation this is".into());
        };
        let operation = metadata.name();
        if self.access == Access::ReadOnly && !reads(operation) {
            return Err(format!("{} {operation} is a write, and a plan only reads", metadata.service()).into());
        }
        if makes_something(operation) {
            settings.interceptor_state().store_put(RetryConfig::disabled());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_verbs_read_and_everything_else_writes() {
        for operation in ["DescribeVpcs", "ListTasks", "GetRole", "BatchGetImage", "FilterLogEvents"] {
            assert!(reads(operation), "{operation}");
        }
        for operation in
            ["CreateVpc", "PutRolePolicy", "DeleteVpc", "TagResource", "BatchDeleteImage", "ExecuteCommand"]
        {
            assert!(!reads(operation), "{operation}");
        }
    }

    #[test]
    fn only_what_makes_something_is_never_repeated_by_the_sdk() {
        assert!(makes_something("CreateVpc"));
        assert!(makes_something("RegisterTaskDefinition"));
        // A command is not run twice because an answer was lost.
        assert!(makes_something("ExecuteCommand"));
        assert!(!makes_something("PutRolePolicy"));
        assert!(!makes_something("DescribeVpcs"));
    }
}
