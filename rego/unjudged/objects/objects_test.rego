package unjudged.objects_test

import data.unjudged.objects

_container := {"name": "c", "image": "x:v1"}

_always := object.union(_container, {"imagePullPolicy": "Always"})

_latest := {"name": "c", "image": "x"}

_see(holds) := {"holds": holds, "remedy": "see customKinds"}

_made(holds) := {"holds": holds, "remedy": "check the objects that are made from it"}

_text(holds) := {"holds": sprintf("%s, in a string", [holds]), "remedy": "check the string as a file of its own"}

_parts(values, is_text) := [{"isText": is_text, "value": value} | some value in values]

test_values_of_charts[name] if {
	some name, [version, kind, is_text, holds] in {
		"Flux": ["helm.toolkit.fluxcd.io/v2", "HelmRelease", false, "a pull policy that says Always"],
		"k3s": ["helm.cattle.io/v1", "HelmChart", true, "a pull policy that says Always, in a string"],
		"k3s, of a chart of its own": [
			"helm.cattle.io/v1", "HelmChartConfig", true,
			"a pull policy that says Always, in a string",
		],
		"Argo CD": ["argoproj.io/v1alpha1", "Application", true, "a pull policy that says Always, in a string"],
	}
	obj := {
		"apiVersion": version, "kind": kind, "metadata": {"name": "w"},
		"parts": _parts([{"image": {"pullPolicy": "Always"}}], is_text),
	}
	found := {"holds": holds, "remedy": "check its chart with these values: `pullguard check --values FILE CHART`"}
	objects.found == [found] with input.objects as [obj]
}

test_found if {
	cases := {
		"nothing": [[], null],
		"a pod spec": [[{"containers": [_container]}], _see("a pod spec")],
		"a pod spec, stated": [[{"containers": [_container, _always]}], _see("a pod spec that says Always")],
		"a pod spec, implied": [[{"containers": [_latest]}], _see("a pod spec whose images imply Always")],
		"an init container": [
			[{"containers": [_container], "initContainers": [_always]}],
			_see("a pod spec that says Always"),
		],
		"an image volume": [
			[{"containers": [_container], "volumes": [{"image": {"reference": "x"}}]}],
			_see("a pod spec whose images imply Always"),
		],
		"a pod spec deep inside": [
			[{"image": "x:v1", "a": [{"containers": [_always]}]}],
			_see("a pod spec that says Always"),
		],
		"an image that is to be filled in": [
			[{"containers": [{"name": "c", "image": "$(params.image)"}]}],
			_see("a pod spec"),
		],
		"no container has a name": [[{"containers": [{"image": "x:v1"}]}], null],
		"no container has an image": [[{"containers": [{"name": "c"}]}], null],
		"a pattern": [[{"containers": [{"name": "*", "image": "*:latest"}]}], null],
		"a schema": [[{"containers": {"type": "array"}, "image": {"type": "string"}}], null],
		"a container": [[_container], null],
		"a container, stated": [[{"image": "x:v1", "imagePullPolicy": "Always"}], _see("a container that says Always")],
		"a container, implied": [[{"image": "x", "script": "make"}], _see("a container whose image implies Always")],
		"an image alone": [[{"image": "x"}], null],
		"no image": [[{"image": "Not An Image", "name": "c"}], null],
		"a value of a chart": [[{"image": {"pullPolicy": "Always"}}], _made("a pull policy that says Always")],
		"another value": [[{"pullPolicy": "IfNotPresent", "imagePullPolicy": "Never"}], null],
		"a parameter of a chart": [
			[{"parameters": [{"name": "image.pullPolicy", "value": "Always"}]}],
			_made("a pull policy that says Always"),
		],
		"another parameter": [[{"parameters": [{"name": "restartPolicy", "value": "Always"}]}], null],
		"what counts most": [[{"containers": [_container]}, _always], _see("a container that says Always")],
	}
	every name, case in cases {
		obj := {"kind": "Web", "metadata": {"name": "w"}, "parts": _parts(case[0], false)}
		[name, objects.found] == [name, [case[1]]] with input.objects as [obj]
	}
}

test_texts if {
	cases := {
		"a pod spec": [[{"containers": [_always]}], _text("a pod spec that says Always")],
		"what cannot be read": [
			["{{ if .x }}\n- image: x\n  imagePullPolicy: \"Always\"\n"],
			_text("a pull policy that says Always"),
		],
		"a list": [["{{ x }}\n- pullPolicy: Always\n"], _text("a pull policy that says Always")],
		"another policy": [["{{ x }}\nimagePullPolicy: AlwaysNot\nrestartPolicy: Always\n"], null],
	}
	every name, case in cases {
		obj := {"kind": "ConfigMap", "parts": _parts(case[0], true)}
		[name, objects.found] == [name, [case[1]]] with input.objects as [obj]
	}
}

test_own_fields_take_precedence if {
	parts := array.concat(_parts([{"containers": [_always]}], true), _parts([{"containers": [_container]}], false))
	objects.found == [_see("a pod spec")] with input.objects as [{"kind": "Web", "parts": parts}]
}

test_each_object_has_an_entry if {
	owned := {"kind": "Web", "metadata": {"ownerReferences": [{"controller": true}]}, "parts": _parts([_always], false)}
	free := {"kind": "Web", "metadata": {"ownerReferences": [{"kind": "A"}]}, "parts": _parts([_always], false)}
	objects.found == [null, _see("a container that says Always"), null]
		with input.objects as [owned, free, {"kind": "Web", "parts": []}]
}
