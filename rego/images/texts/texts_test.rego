package images.texts_test

import data.images.texts

_digest := "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

_likely(image) := {{"image": image, "sure": "likely"}}

_possible(image) := {{"image": image, "sure": "possible"}}

test_names if {
	names := {
		"image", "images", "baseImage", "RELATED_IMAGE_A", "sidecar-image", "imageName", "IMG", "myimage", "IMAGE1",
		"imagePullPolicy", "imagePullSecrets", "imageTag", "imageRepository", "image-registry", "imageFeatures",
		"imagine", "tag", "", "imagery",
	}
	{name | some name in names; texts.names_image(name)} == {
		"image", "images", "baseImage", "RELATED_IMAGE_A", "sidecar-image", "imageName", "IMG", "myimage", "IMAGE1",
	}
}

test_words if {
	cases := {
		"a name and a tag": ["image", "a:1", _likely("a:1")],
		"a name and a registry": ["baseImage", " quay.io/a ", _likely("quay.io/a")],
		"a name alone": ["image", "nginx", _possible("nginx")],
		"no image at all": ["image", "Always", set()],
		"a switch": ["image", "true", set()],
		"a form alone": ["provisioner", "quay.io/a:1", _likely("quay.io/a:1")],
		"a digest alone": ["x", concat("", ["quay.io/a", _digest]), _likely(concat("", ["quay.io/a", _digest]))],
		"an address": ["url", "https://quay.io/a:1", set()],
		"a host with a port": ["endpoint", "collector.svc:4317", set()],
		"a path": ["endpoint", "collector.svc:4317/v1/traces", set()],
		"a flag that says so": ["args", "--sidecar-image=a:1", _likely("a:1")],
		"a flag that does not": ["args", "--reloader=quay.io/a:1", _likely("quay.io/a:1")],
		"a flag in quotes": ["args", "--image='a:1'", _likely("a:1")],
		"a flag whose list is called images": ["images", "--level=info", set()],
		"a flag with several": ["args", "--images=a:1,b:2", (_likely("a:1") | _likely("b:2"))],
		"several": ["RELATED_IMAGES", "quay.io/a:1,nginx,", (_likely("quay.io/a:1") | _possible("nginx"))],
		"several by their form": ["x", "quay.io/a:1,quay.io/b:2,c:3", (_likely("quay.io/a:1") | _likely("quay.io/b:2"))],
		"a number": ["image", "1.2", _possible("1.2")],
		"nothing": ["image", "", set()],
	}
	actual := {name: texts.in_string(case[0], case[1]) | some name, case in cases}
	actual == {name: case[2] | some name, case in cases}
}

test_texts if {
	cases := {
		"a script": ["command", "exec run quay.io/a:1 -v", _possible("quay.io/a:1")],
		"comments": ["command", "# run quay.io/a:1\n  // image: b:1\n; quay.io/c:1", set()],
		"an assignment": ["script", "set -e\nIMAGE=a:1\n", _possible("a:1")],
		"a template of YAML": ["x.yaml", "{{ if x }}\n  image: \"a:1\"\n{{ end }}", _possible("a:1")],
		"JSON without white space": ["x", `{"image":"a:1","b":"quay.io/b:1"}`, (_possible("a:1") | _possible("quay.io/b:1"))],
		"a pull policy": ["x.yaml", "{{ x }}\nimagePullPolicy: Always\nimage: nginx", set()],
		"addresses": ["x", "see https://quay.io/a:1 or oci://quay.io/b:1", set()],
		"a list that says so": ["KAFKA_IMAGES", "3=quay.io/a:3\n4=quay.io/a:4", {
			{"image": "quay.io/a:3", "sure": "likely"},
			{"image": "quay.io/a:4", "sure": "likely"},
		}],
	}
	actual := {name: texts.in_string(case[0], case[1]) | some name, case in cases}
	actual == {name: case[2] | some name, case in cases}
}

test_what_is_a_text if {
	words := {" a ", "a", "", "a\n", "[::1]:5000/a:1", "${A}", "{a}"}
	others := {"a b", "a\nb", `["a"]`, `{"a":1}`, `--a={"b":1}`}
	{text | some text in (words | others); texts.is_text(text)} == others
}
