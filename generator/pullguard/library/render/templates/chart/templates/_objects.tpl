{{/*
The objects of the chart. What a ConstraintTemplate holds is put here as it stands: the Rego in it is never a template.
*/}}
{{- define "pullguard.objects" -}}
{{- range $policy := include "pullguard.enabled" . | fromJsonArray }}
---
{{ $.Files.Get (printf "files/templates/%s.yaml" $policy.name) }}
{{- if $policy.synced }}
---
{{ $.Files.Get (printf "files/syncsets/%s.yaml" $policy.name) }}
{{- end }}
{{- if not (include "pullguard.withoutConstraints" (dict "root" $ "policy" $policy)) }}
{{- range $constraint := include "pullguard.constraints" (dict "root" $ "policy" $policy) | fromJsonArray }}
---
{{ $constraint | toYaml }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The policies that the values leave, as a JSON array: entries of files/policies.json.
*/}}
{{- define "pullguard.enabled" -}}
{{- $enabled := list }}
{{- range $policy := .Files.Get "files/policies.json" | fromJsonArray }}
{{- $values := include "pullguard.values" (dict "root" $ "policy" $policy) | fromJson }}
{{- if ne (toString $values.enabled) "false" }}{{ $enabled = append $enabled $policy }}{{ end }}
{{- end }}
{{- $enabled | toJson }}
{{- end }}

{{/*
What the values say of a policy, by its name or a former one, as a JSON object.
*/}}
{{- define "pullguard.values" -}}
{{- $all := .root.Values.policies | default dict }}
{{- $values := deepCopy (get $all .policy.name | default dict) }}
{{- range .policy.aliases }}{{ $values = mergeOverwrite $values (deepCopy (get $all . | default dict)) }}{{ end }}
{{- $values | toJson }}
{{- end }}

{{/*
A text unless the constraints of a policy can be applied now. Gatekeeper makes their kind of the template: without both, only the
template is applied, and the constraints when the chart is applied again. Where no Gatekeeper is known, as in `helm template`
without a cluster, everything is rendered.
*/}}
{{- define "pullguard.withoutConstraints" -}}
{{- $kinds := .root.Capabilities.APIVersions }}
{{- if eq .root.Values.constraints "never" }}never
{{- else if eq .root.Values.constraints "auto" }}
{{- if and ($kinds.Has "templates.gatekeeper.sh/v1/ConstraintTemplate") (not ($kinds.Has (printf "constraints.gatekeeper.sh/v1beta1/%s" .policy.kind))) }}
{{- if not (lookup "templates.gatekeeper.sh/v1" "ConstraintTemplate" "" (lower .policy.kind)) }}not yet
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The enforcementAction of a policy: that of the level that the values name, or of the strictest one below it that the policy offers.
*/}}
{{- define "pullguard.action" -}}
{{- $values := include "pullguard.values" . | fromJson }}
{{- get .policy.actions ($values.enforcement | default .root.Values.enforcement | default "audit") }}
{{- end }}

{{/*
The constraints of a policy as a JSON array: one for each way of protecting namespaces, or one for objects without a namespace.
*/}}
{{- define "pullguard.constraints" -}}
{{- $policy := .policy }}
{{- $namespaces := .root.Values.protectedNamespaces }}
{{- $values := include "pullguard.values" . | fromJson }}
{{- $parameters := deepCopy ($values.parameters | default dict) }}
{{- if $policy.namespacesParameter }}
{{- $protected := dict }}
{{- if $namespaces.names }}{{ $_ := set $protected "names" $namespaces.names }}{{ end }}
{{- if $namespaces.selector }}{{ $_ := set $protected "selector" $namespaces.selector }}{{ end }}
{{- $_ := set $parameters $policy.namespacesParameter $protected }}
{{- end }}
{{- $match := dict "source" "Original" "kinds" (include "pullguard.kinds" (dict "policy" $policy "parameters" $parameters) | fromJsonArray) }}
{{- $ways := dict }}
{{- if $policy.clusterScoped }}
{{- $_ := set $ways $policy.objectName $match }}
{{- else }}
{{- $_ := set $match "scope" "Namespaced" }}
{{- if $namespaces.names }}
{{- $_ := set $ways (printf "%s-by-name" $policy.objectName) (merge (dict "namespaces" $namespaces.names) $match) }}
{{- end }}
{{- if $namespaces.selector }}
{{- $_ := set $ways (printf "%s-by-label" $policy.objectName) (merge (dict "namespaceSelector" $namespaces.selector) $match) }}
{{- end }}
{{- end }}
{{- $constraints := list }}
{{- range $name := keys $ways | sortAlpha }}
{{- $metadata := dict "name" $name }}
{{- with $.root.Values.constraintAnnotations }}{{ $_ := set $metadata "annotations" . }}{{ end }}
{{- $spec := dict "enforcementAction" (include "pullguard.action" $) "match" (get $ways $name) "parameters" $parameters }}
{{- $constraints = append $constraints (dict "apiVersion" "constraints.gatekeeper.sh/v1beta1" "kind" $policy.kind "metadata" $metadata "spec" $spec) }}
{{- end }}
{{- $constraints | toJson }}
{{- end }}

{{/*
What a policy matches, as a JSON array: its own kinds, the custom resources that it knows unless a parameter says otherwise of them,
and those that the parameter adds.
*/}}
{{- define "pullguard.kinds" -}}
{{- $policy := .policy }}
{{- $stated := list }}
{{- if $policy.kindsFromParameter }}{{ $stated = get .parameters $policy.kindsFromParameter | default list }}{{ end }}
{{- $matched := dict }}
{{- range $entry := $policy.kinds }}
{{- range $group := $entry.apiGroups }}
{{- range $kind := $entry.kinds }}{{ $_ := set $matched (printf "%s/%s" $group $kind) true }}{{ end }}
{{- end }}
{{- end }}
{{- $known := dict }}
{{- range $policy.knownKinds }}{{ $_ := set $known (printf "%s/%s" .group .kind) true }}{{ end }}
{{- $said := dict }}
{{- range $stated }}{{ $_ := set $said (printf "%s/%s" .group .kind) true }}{{ end }}
{{- $candidates := list }}
{{- range $policy.knownKinds }}
{{- if not (hasKey $said (printf "%s/%s" .group .kind)) }}{{ $candidates = append $candidates . }}{{ end }}
{{- end }}
{{- range $stated }}
{{- if or .paths .containers .images (not (hasKey $known (printf "%s/%s" .group .kind))) }}{{ $candidates = append $candidates . }}{{ end }}
{{- end }}
{{- $groups := list }}
{{- $added := dict }}
{{- range $candidates }}
{{- $key := printf "%s/%s" .group .kind }}
{{- if not (hasKey $matched $key) }}
{{- $_ := set $matched $key true }}
{{- if not (has .group $groups) }}{{ $groups = append $groups .group }}{{ end }}
{{- $_ := set $added .group (append (get $added .group | default list) .kind) }}
{{- end }}
{{- end }}
{{- $kinds := $policy.kinds }}
{{- range $group := $groups }}{{ $kinds = append $kinds (dict "apiGroups" (list $group) "kinds" (get $added $group)) }}{{ end }}
{{- $kinds | toJson }}
{{- end }}
