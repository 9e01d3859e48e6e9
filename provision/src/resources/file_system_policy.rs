//! Who may mount the shared disk: without this, anybody who reaches its port.

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use super::{file_system, policy_document};
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The policy of a file system, which has one or none.
#[derive(Debug)]
pub struct FileSystemPolicy {
    /// The creation token of the file system.
    pub file_system_token: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct FileSystemPolicySpec {
    /// The policy, in its canonical form.
    pub policy: Value,
    /// The file system; it is part of the key.
    #[serde(skip)]
    pub file_system_id: String,
}

impl FileSystemPolicySpec {
    /// Asks for a policy, in whatever order it is written, and whatever its statements are called.
    pub fn new(file_system_id: String, policy: Value) -> Self {
        Self { policy: policy_document::canonical(without_names(policy)), file_system_id }
    }
}

/// EFS gives names to a policy and to statements that have none; they say nothing about who may do what.
fn without_names(mut policy: Value) -> Value {
    if let Some(fields) = policy.as_object_mut() {
        fields.remove("Id");
    }
    let statements = match policy.get_mut("Statement") {
        Some(Value::Array(statements)) => statements.as_mut_slice(),
        Some(one) => std::slice::from_mut(one),
        None => &mut [],
    };
    for fields in statements.iter_mut().filter_map(Value::as_object_mut) {
        fields.remove("Sid");
    }
    policy
}

impl FileSystemPolicy {
    async fn put(&self, context: &Context, spec: &FileSystemPolicySpec) -> Result<()> {
        let request = context.aws.efs.put_file_system_policy().file_system_id(&spec.file_system_id);
        let request = request.policy(spec.policy.to_string());
        file_system::in_turn(context, || async { Ok(request.clone().send().await.map(drop)?) }).await
    }
}

impl Resource for FileSystemPolicy {
    const KIND: &'static str = "EFS policy";

    type Spec = FileSystemPolicySpec;
    type Output = ();

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(found) = file_system::find(context, &self.file_system_token).await? else { return Ok(None) };
        let request = context.aws.efs.describe_file_system_policy().file_system_id(&found.file_system_id);
        let answer = request.send().await.absent_on(&["PolicyNotFound", "FileSystemNotFound"])?;
        let Some(policy) = answer.and_then(|answer| answer.policy) else { return Ok(None) };
        // What is no JSON is no policy of ours, and will be replaced.
        let policy = serde_json::from_str(&policy).unwrap_or(Value::String(policy));
        Ok(Some(Live { spec: FileSystemPolicySpec::new(found.file_system_id, policy), output: () }))
    }

    async fn create(&self, context: &Context, spec: &FileSystemPolicySpec) -> Result<()> {
        self.put(context, spec).await
    }

    async fn update(&self, context: &Context, _: &Live<Self>, spec: &FileSystemPolicySpec) -> Result<()> {
        self.put(context, spec).await
    }

    /// Also when the disk itself stays: the role that it names goes.
    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.efs.delete_file_system_policy().file_system_id(&live.spec.file_system_id);
        let change = || async {
            match request.clone().send().await.map_err(AwsError::from) {
                Err(error) if error.is("FileSystemNotFound") || error.is("PolicyNotFound") => Ok(()),
                other => other.map(drop),
            }
        };
        file_system::in_turn(context, change).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_that_efs_gives_are_no_difference_and_everything_else_is() {
        let sent = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*"}]});
        let mut returned = json!({
            "Version": "2012-10-17",
            "Id": "1",
            "Statement": [{"Sid": "efs-statement-7ce9d881", "Effect": "Deny", "Action": "*"}],
        });
        let spec = |policy: &Value| FileSystemPolicySpec::new("fs-1".to_owned(), policy.clone()).policy;
        assert_eq!(spec(&returned), spec(&sent));
        returned["Statement"][0]["Effect"] = json!("Allow");
        assert_ne!(spec(&returned), spec(&sent));
    }
}
