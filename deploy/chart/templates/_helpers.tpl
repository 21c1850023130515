{{- define "sallyport.labels" -}}
app.kubernetes.io/name: {{ .Values.name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "sallyport.gatewayLabels" -}}
app.kubernetes.io/name: {{ .Values.gateway.name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* Policy files by directory: the root and one for each namespace, each of which is a ConfigMap. */}}
{{- define "sallyport.policyDirectories" -}}
{{- $directories := dict }}
{{- range $path, $text := .Values.policies.files }}
{{- if $text }}
{{- $directory := dir $path }}
{{- $_ := set $directories $directory (set (get $directories $directory | default dict) (base $path) $text) }}
{{- end }}
{{- end }}
{{- if not $directories }}{{ fail "policies.files is empty: a server without policies is never ready" }}{{ end }}
{{- toYaml $directories }}
{{- end }}

{{- define "sallyport.policyConfigMap" -}}
{{ .name }}-policies{{ if ne .directory "." }}.{{ replace "/" "." .directory }}{{ end }}
{{- end }}

{{- /* sallyport.config.yaml: what the chart says, over what values say. */}}
{{- define "sallyport.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $audit := $config.audit | default dict }}
{{- $to := $audit.to | default list }}
{{- if kindIs "string" $to }}{{ $to = list $to }}{{ end }}
{{- if .Values.audit.volume.enabled }}
{{- $_ := set $audit "to" (append $to "/var/lib/sallyport/audit.jsonl" | uniq) }}
{{- else }}
{{- range $to }}
{{- if hasPrefix "/" . }}{{ fail (printf "config.audit.to names the file %s, but audit.volume.enabled is false: it would end with its Pod" .) }}{{ end }}
{{- end }}
{{- end }}
{{- if .Values.audit.keySecretName }}{{ $_ := set $audit "key" "/etc/sallyport/audit-key/key.pem" }}{{ end }}
{{- if $audit }}{{ $_ := set $config "audit" $audit }}{{ end }}
{{- if .Values.bundleKeySecretName }}{{ $_ := set $config "bundle" (dict "key" "/etc/sallyport/bundle-key/key.pem") }}{{ end }}
{{- $_ := set $config "listen" (list "0.0.0.0:9191") }}
{{- $_ := set $config "allowedCallers" .Values.allowedCallers }}
{{- with .Values.metricsReaders }}{{ $_ := set $config "metricsReaders" . }}{{ end }}
{{- $_ := set $config "admin" "127.0.0.1:9192" }}
{{- $_ := set $config "probes" "0.0.0.0:9193" }}
{{- if eq .Values.tls.source "workloadApi" }}
{{- $_ := set $config "tls" (dict "workloadApi" (printf "unix:///spiffe-workload-api/%s" .Values.tls.workloadApi.socket)) }}
{{- else if eq .Values.tls.source "istioAgent" }}
{{- $_ := set $config "tls" (dict "certificate" "/etc/istio-output-certs/cert-chain.pem" "key" "/etc/istio-output-certs/key.pem" "clientCa" "/etc/istio-output-certs/root-cert.pem") }}
{{- else }}
{{- $_ := set $config "tls" (dict "certificate" "/etc/sallyport/tls/tls.crt" "key" "/etc/sallyport/tls/tls.key" "clientCa" "/etc/sallyport/tls/ca.crt") }}
{{- end }}
{{- if eq .Values.policies.source "customResources" }}
{{- $_ := set $config "policySource" "kubernetes" }}
{{- $_ := set $config "kubernetes" (dict "rootNamespace" .Values.gateway.namespace) }}
{{- else }}
{{- $_ := set $config "policies" "/etc/sallyport/policies" }}
{{- $_ := set $config "state" "/run/sallyport/state" }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{- define "sallyport.spread" -}}
topologySpreadConstraints:
- maxSkew: 1
  topologyKey: topology.kubernetes.io/zone
  whenUnsatisfiable: {{ .placement.zones }}
  nodeTaintsPolicy: Honor
  labelSelector:
    matchLabels: {{- toYaml .labels | nindent 6 }}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- toYaml .labels | nindent 6 }}
{{- end }}

{{- define "sallyport.autoscaler" -}}
minReplicas: {{ .minReplicas }}
maxReplicas: {{ max .minReplicas .maxReplicas }}
metrics:
- type: ContainerResource
  containerResource:
    name: cpu
    container: {{ .container }}
    target:
      type: Utilization
      averageUtilization: {{ .targetCPU }}
behavior:
  scaleDown:
    stabilizationWindowSeconds: 600
{{- end }}
