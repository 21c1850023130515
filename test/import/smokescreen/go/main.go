// Answers questions by Smokescreen's own code: one JSON document in, one out.
package main

import (
	"encoding/json"
	"io"
	"os"

	"github.com/sirupsen/logrus"
	acl "github.com/stripe/smokescreen/pkg/smokescreen/acl/v1"
	"gopkg.in/yaml.v2"
)

type question struct {
	ACL       string      `json:"acl"`
	Questions [][2]string `json:"questions"`
}

type loader struct{ text string }

func (l loader) Load() (*acl.ACL, error) {
	config := acl.YAMLConfig{}
	if err := yaml.Unmarshal([]byte(l.text), &config); err != nil {
		return nil, err
	}
	return config.Load()
}

func answers(q question) []string {
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	loaded, err := acl.New(logger, loader{q.ACL}, nil)
	if err != nil {
		return []string{"refused: " + err.Error()}
	}
	all := []string{}
	for _, each := range q.Questions {
		decision, err := loaded.Decide(acl.DecideArgs{Service: each[0], Host: each[1]})
		answer := "allow"
		if err != nil || decision.Result == acl.Deny {
			answer = "deny"
		} else if decision.MitmConfig != nil && len(decision.MitmConfig.AddHeaders) > 0 {
			answer = "headers"
		}
		all = append(all, answer)
	}
	return all
}

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		panic(err)
	}
	all := [][]string{}
	for _, each := range questions {
		all = append(all, answers(each))
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		panic(err)
	}
}
