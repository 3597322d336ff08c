# METADATA
# title: Custom resources that many clusters have
# description: Where these use images, each with the reference of its API.
# scope: package
package lib.kinds

# METADATA
# title: Where well-known custom resources use images
# description: |
#   By group and kind, with the fields of an entry of customKinds: `paths`, `containers` and `images`. `source` is the
#   reference of the API. Policies judge these kinds unless customKinds has an entry of its own for them. Some paths
#   lead to mappings that are not pod specs but have the same lists of containers, or volumes.
known := {
	"apps.kruise.io": {
		"CloneSet": {
			"paths": ["spec.template.spec"],
			"source": "https://github.com/openkruise/kruise/blob/HEAD/config/crd/bases/apps.kruise.io_clonesets.yaml",
		},
		"DaemonSet": {
			"paths": ["spec.template.spec"],
			"source": "https://github.com/openkruise/kruise/blob/HEAD/config/crd/bases/apps.kruise.io_daemonsets.yaml",
		},
		"SidecarSet": {
			"paths": ["spec"],
			"source": "https://github.com/openkruise/kruise/blob/HEAD/config/crd/bases/apps.kruise.io_sidecarsets.yaml",
		},
		"StatefulSet": {
			"paths": ["spec.template.spec"],
			"source": "https://github.com/openkruise/kruise/blob/HEAD/config/crd/bases/apps.kruise.io_statefulsets.yaml",
		},
	},
	"apps.openshift.io": {
		"DeploymentConfig": {
			"paths": ["spec.template.spec"],
			"source": "https://github.com/openshift/api/blob/HEAD/apps/v1/types.go",
		},
	},
	"argoproj.io": {
		"CronWorkflow": {
			"paths": [
				"spec.workflowSpec",
				"spec.workflowSpec.templateDefaults",
				"spec.workflowSpec.templateDefaults.containerSet",
				"spec.workflowSpec.templates[]",
				"spec.workflowSpec.templates[].containerSet",
			],
			"containers": [
				"spec.workflowSpec.executorPlugins[].spec.sidecar.container",
				"spec.workflowSpec.templateDefaults.container",
				"spec.workflowSpec.templateDefaults.script",
				"spec.workflowSpec.templateDefaults.sidecars[]",
				"spec.workflowSpec.templates[].container",
				"spec.workflowSpec.templates[].script",
				"spec.workflowSpec.templates[].sidecars[]",
			],
			"source": "https://github.com/argoproj/argo-workflows/tree/HEAD/manifests/base/crds/full",
		},
		"Rollout": {
			"paths": ["spec.template.spec"],
			"source": "https://github.com/argoproj/argo-rollouts/blob/HEAD/manifests/crds/rollout-crd.yaml",
		},
		"Workflow": {
			"paths": [
				"spec",
				"spec.templateDefaults",
				"spec.templateDefaults.containerSet",
				"spec.templates[]",
				"spec.templates[].containerSet",
			],
			"containers": [
				"spec.executorPlugins[].spec.sidecar.container",
				"spec.templateDefaults.container",
				"spec.templateDefaults.script",
				"spec.templateDefaults.sidecars[]",
				"spec.templates[].container",
				"spec.templates[].script",
				"spec.templates[].sidecars[]",
			],
			"source": "https://github.com/argoproj/argo-workflows/blob/HEAD/manifests/base/crds/full/argoproj.io_workflows.yaml",
		},
		"WorkflowTemplate": {
			"paths": [
				"spec",
				"spec.templateDefaults",
				"spec.templateDefaults.containerSet",
				"spec.templates[]",
				"spec.templates[].containerSet",
			],
			"containers": [
				"spec.executorPlugins[].spec.sidecar.container",
				"spec.templateDefaults.container",
				"spec.templateDefaults.script",
				"spec.templateDefaults.sidecars[]",
				"spec.templates[].container",
				"spec.templates[].script",
				"spec.templates[].sidecars[]",
			],
			"source": "https://github.com/argoproj/argo-workflows/tree/HEAD/manifests/base/crds/full",
		},
	},
	"batch.volcano.sh": {
		"Job": {
			"paths": ["spec.tasks[].template.spec"],
			"source": "https://github.com/volcano-sh/volcano/blob/HEAD/config/crd/volcano/bases/batch.volcano.sh_jobs.yaml",
		},
	},
	"jobset.x-k8s.io": {
		"JobSet": {
			"paths": ["spec.replicatedJobs[].template.spec.template.spec"],
			"source": "https://github.com/kubernetes-sigs/jobset/tree/HEAD/config/components/crd/bases",
		},
	},
	"kubeflow.org": {
		"JAXJob": {
			"paths": ["spec.jaxReplicaSpecs.*.template.spec"],
			"source": "https://github.com/kubeflow/manifests/tree/HEAD/applications/training-operator/upstream/base/crds",
		},
		"MPIJob": {
			"paths": ["spec.mpiReplicaSpecs.*.template.spec"],
			"source": "https://github.com/kubeflow/manifests/tree/HEAD/applications/training-operator/upstream/base/crds",
		},
		"PaddleJob": {
			"paths": ["spec.paddleReplicaSpecs.*.template.spec"],
			"source": "https://github.com/kubeflow/manifests/tree/HEAD/applications/training-operator/upstream/base/crds",
		},
		"PyTorchJob": {
			"paths": ["spec.pytorchReplicaSpecs.*.template.spec"],
			"source": "https://github.com/kubeflow/manifests/tree/HEAD/applications/training-operator/upstream/base/crds",
		},
		"TFJob": {
			"paths": ["spec.tfReplicaSpecs.*.template.spec"],
			"source": "https://github.com/kubeflow/manifests/tree/HEAD/applications/training-operator/upstream/base/crds",
		},
		"XGBoostJob": {
			"paths": ["spec.xgbReplicaSpecs.*.template.spec"],
			"source": "https://github.com/kubeflow/manifests/tree/HEAD/applications/training-operator/upstream/base/crds",
		},
	},
	"leaderworkerset.x-k8s.io": {
		"LeaderWorkerSet": {
			"paths": [
				"spec.leaderWorkerTemplate.leaderTemplate.spec",
				"spec.leaderWorkerTemplate.workerTemplate.spec",
			],
			"source": "https://github.com/kubernetes-sigs/lws/tree/HEAD/config/crd/bases",
		},
	},
	"monitoring.coreos.com": {
		"Alertmanager": {
			"paths": ["spec"],
			"images": [
				{"image": "spec.image", "policy": "spec.imagePullPolicy"},
			],
			"source": "https://github.com/prometheus-operator/prometheus-operator/tree/HEAD/example/prometheus-operator-crd",
		},
		"Prometheus": {
			"paths": ["spec"],
			"images": [
				{"image": "spec.image", "policy": "spec.imagePullPolicy"},
				{"image": "spec.thanos.image", "policy": "spec.imagePullPolicy"},
			],
			"source": "https://github.com/prometheus-operator/prometheus-operator/tree/HEAD/example/prometheus-operator-crd",
		},
		"PrometheusAgent": {
			"paths": ["spec"],
			"images": [
				{"image": "spec.image", "policy": "spec.imagePullPolicy"},
			],
			"source": "https://github.com/prometheus-operator/prometheus-operator/tree/HEAD/example/prometheus-operator-crd",
		},
		"ThanosRuler": {
			"paths": ["spec"],
			"images": [
				{"image": "spec.image", "policy": "spec.imagePullPolicy"},
			],
			"source": "https://github.com/prometheus-operator/prometheus-operator/tree/HEAD/example/prometheus-operator-crd",
		},
	},
	"ray.io": {
		"RayCluster": {
			"paths": [
				"spec.headGroupSpec.template.spec",
				"spec.workerGroupSpecs[].template.spec",
			],
			"containers": ["spec.autoscalerOptions"],
			"images": [{
				"image": "spec.historyServerOptions.collectorOptions.image",
				"policy": "spec.historyServerOptions.collectorOptions.imagePullPolicy",
			}],
			"source": "https://github.com/ray-project/kuberay/blob/HEAD/ray-operator/config/crd/bases/ray.io_rayclusters.yaml",
		},
		"RayJob": {
			"paths": [
				"spec.rayClusterSpec.headGroupSpec.template.spec",
				"spec.rayClusterSpec.workerGroupSpecs[].template.spec",
				"spec.submitterPodTemplate.spec",
			],
			"containers": ["spec.rayClusterSpec.autoscalerOptions"],
			"images": [{
				"image": "spec.rayClusterSpec.historyServerOptions.collectorOptions.image",
				"policy": "spec.rayClusterSpec.historyServerOptions.collectorOptions.imagePullPolicy",
			}],
			"source": "https://github.com/ray-project/kuberay/blob/HEAD/ray-operator/config/crd/bases/ray.io_rayjobs.yaml",
		},
		"RayService": {
			"paths": [
				"spec.rayClusterConfig.headGroupSpec.template.spec",
				"spec.rayClusterConfig.workerGroupSpecs[].template.spec",
			],
			"containers": ["spec.rayClusterConfig.autoscalerOptions"],
			"images": [{
				"image": "spec.rayClusterConfig.historyServerOptions.collectorOptions.image",
				"policy": "spec.rayClusterConfig.historyServerOptions.collectorOptions.imagePullPolicy",
			}],
			"source": "https://github.com/ray-project/kuberay/blob/HEAD/ray-operator/config/crd/bases/ray.io_rayservices.yaml",
		},
	},
	"serving.knative.dev": {
		"Configuration": {
			"paths": ["spec.template.spec"],
			"source": "https://github.com/knative/serving/blob/HEAD/config/core/300-resources/configuration.yaml",
		},
		"Service": {
			"paths": ["spec.template.spec"],
			"source": "https://github.com/knative/serving/blob/HEAD/config/core/300-resources/service.yaml",
		},
	},
	"sparkoperator.k8s.io": {
		"ScheduledSparkApplication": {
			"paths": [
				"spec.template",
				"spec.template.driver",
				"spec.template.driver.template.spec",
				"spec.template.executor",
				"spec.template.executor.template.spec",
			],
			"containers": [
				"spec.template.driver.sidecars[]",
				"spec.template.executor.sidecars[]",
			],
			"images": [
				{"image": "spec.template.image", "policy": "spec.template.imagePullPolicy"},
				{"image": "spec.template.driver.image", "policy": "spec.template.imagePullPolicy"},
				{"image": "spec.template.executor.image", "policy": "spec.template.imagePullPolicy"},
			],
			"source": "https://github.com/kubeflow/spark-operator/tree/HEAD/config/crd/bases",
		},
		"SparkApplication": {
			"paths": [
				"spec",
				"spec.driver",
				"spec.driver.template.spec",
				"spec.executor",
				"spec.executor.template.spec",
			],
			"containers": [
				"spec.driver.sidecars[]",
				"spec.executor.sidecars[]",
			],
			"images": [
				{"image": "spec.image", "policy": "spec.imagePullPolicy"},
				{"image": "spec.driver.image", "policy": "spec.imagePullPolicy"},
				{"image": "spec.executor.image", "policy": "spec.imagePullPolicy"},
			],
			"source": "https://github.com/kubeflow/spark-operator/tree/HEAD/config/crd/bases",
		},
	},
	"tekton.dev": {
		"Pipeline": {
			"paths": [
				"spec.finally[].taskSpec",
				"spec.tasks[].taskSpec",
			],
			"containers": [
				"spec.finally[].taskSpec.sidecars[]",
				"spec.finally[].taskSpec.stepTemplate",
				"spec.finally[].taskSpec.steps[]",
				"spec.tasks[].taskSpec.sidecars[]",
				"spec.tasks[].taskSpec.stepTemplate",
				"spec.tasks[].taskSpec.steps[]",
			],
			"source": "https://github.com/tektoncd/pipeline/blob/HEAD/pkg/apis/pipeline/v1/pipeline_types.go",
		},
		"PipelineRun": {
			"paths": [
				"spec.pipelineSpec.finally[].taskSpec",
				"spec.pipelineSpec.tasks[].taskSpec",
			],
			"containers": [
				"spec.pipelineSpec.finally[].taskSpec.sidecars[]",
				"spec.pipelineSpec.finally[].taskSpec.stepTemplate",
				"spec.pipelineSpec.finally[].taskSpec.steps[]",
				"spec.pipelineSpec.tasks[].taskSpec.sidecars[]",
				"spec.pipelineSpec.tasks[].taskSpec.stepTemplate",
				"spec.pipelineSpec.tasks[].taskSpec.steps[]",
			],
			"source": "https://github.com/tektoncd/pipeline/blob/HEAD/pkg/apis/pipeline/v1/pipelinerun_types.go",
		},
		"Task": {
			"paths": ["spec"],
			"containers": [
				"spec.sidecars[]",
				"spec.stepTemplate",
				"spec.steps[]",
			],
			"source": "https://github.com/tektoncd/pipeline/blob/HEAD/config/300-crds/300-task.yaml",
		},
		"TaskRun": {
			"paths": ["spec.taskSpec"],
			"containers": [
				"spec.taskSpec.sidecars[]",
				"spec.taskSpec.stepTemplate",
				"spec.taskSpec.steps[]",
			],
			"source": "https://github.com/tektoncd/pipeline/blob/HEAD/pkg/apis/pipeline/v1/taskrun_types.go",
		},
	},
	"template.openshift.io": {
		"Template": {
			"paths": [
				"objects[].spec",
				"objects[].spec.jobTemplate.spec.template.spec",
				"objects[].spec.template.spec",
			],
			"source": "https://github.com/openshift/api/blob/HEAD/template/v1/types.go",
		},
	},
	"trainer.kubeflow.org": {
		"TrainingRuntime": {
			"paths": ["spec.template.spec.replicatedJobs[].template.spec.template.spec"],
			"source": "https://github.com/kubeflow/trainer/tree/HEAD/manifests/base/crds",
		},
	},
	"work.open-cluster-management.io": {
		"ManifestWork": {
			"paths": [
				"spec.workload.manifests[].spec",
				"spec.workload.manifests[].spec.jobTemplate.spec.template.spec",
				"spec.workload.manifests[].spec.template.spec",
			],
			"source": "https://github.com/open-cluster-management-io/api/blob/HEAD/work/v1/types.go",
		},
	},
}
