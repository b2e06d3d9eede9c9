// Reads objects as the API server of Kubernetes does (its own types, no unknown and no repeated field) from a list in JSON.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	strict "sigs.k8s.io/json"
)

var types = map[string]func() any{
	"v1 ConfigMap":                       func() any { return &core.ConfigMap{} },
	"v1 Namespace":                       func() any { return &core.Namespace{} },
	"v1 PersistentVolumeClaim":           func() any { return &core.PersistentVolumeClaim{} },
	"v1 Secret":                          func() any { return &core.Secret{} },
	"v1 Service":                         func() any { return &core.Service{} },
	"apps/v1 Deployment":                 func() any { return &apps.Deployment{} },
	"networking.k8s.io/v1 NetworkPolicy": func() any { return &networking.NetworkPolicy{} },
}

func read() error {
	var list struct{ Items []json.RawMessage }
	if err := json.NewDecoder(os.Stdin).Decode(&list); err != nil {
		return err
	}
	for _, item := range list.Items {
		var head struct{ APIVersion, Kind string }
		if err := json.Unmarshal(item, &head); err != nil {
			return err
		}
		object, known := types[head.APIVersion+" "+head.Kind]
		if !known {
			return fmt.Errorf("no type %s %s", head.APIVersion, head.Kind)
		}
		unknown, err := strict.UnmarshalStrict(item, object())
		if err = errors.Join(append(unknown, err)...); err != nil {
			return fmt.Errorf("%s: %w", head.Kind, err)
		}
	}
	fmt.Println(len(list.Items))
	return nil
}

func main() {
	if err := read(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
