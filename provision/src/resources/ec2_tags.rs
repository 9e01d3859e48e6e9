//! How things of EC2, which have no names, are found and marked: by our tags.

use anyhow::{Result, bail};
use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};

use crate::aws::{Aws, TAG_APP, TAG_ENVIRONMENT, TAG_RESOURCE};

/// Asks for everything of a kind that is ours, so that one question serves all resources of the kind.
pub(super) fn filters(aws: &Aws) -> Option<Vec<Filter>> {
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

/// Takes the one thing of a name in the stack; two of them is a state that only a person can judge.
pub(super) fn single<T>(
    mut found: Vec<T>,
    kind: &str,
    resource: &str,
    tags: impl Fn(&T) -> &[Tag],
    id: impl Fn(&T) -> Option<&str>,
) -> Result<Option<T>> {
    found.retain(|thing| name_it(tags(thing), resource));
    if found.len() > 1 {
        let ids: Vec<_> = found.iter().filter_map(id).collect();
        bail!(
            "found {} of {kind} {resource} with our tags ({}); delete the one that is not in use, then run again",
            ids.len(),
            ids.join(", ")
        );
    }
    Ok(found.into_iter().next())
}
