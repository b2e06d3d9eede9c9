// Reads a compose file the way `docker compose` does (its own loader: schema, interpolation, consistency) and prints the result.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions([]string{os.Args[1]}, cli.WithName("compose-check"), cli.WithOsEnv)
	if err == nil {
		project, problem := options.LoadProject(context.Background())
		if err = problem; err == nil {
			err = json.NewEncoder(os.Stdout).Encode(project)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
