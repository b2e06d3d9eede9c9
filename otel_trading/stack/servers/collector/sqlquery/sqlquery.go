// Package sqlquery stands in for contrib's internal package of this name, which the Go module proxy does not serve in any
// version that the PostgreSQL receiver takes. The receiver needs it for samples and plans of queries alone, which are
// events, off by default; its metrics do not touch it. Where somebody switches those events on, this says why there are none.
package sqlquery

import (
	"context"
	"database/sql"
	"errors"

	"go.uber.org/zap"
)

// ErrNullValueWarning is what the receiver looks for; never returned here.
var ErrNullValueWarning = errors.New("a column was null")

var errLeftOut = errors.New("samples and plans of queries are not in this build of the Collector; the contrib image has them")

// TelemetryConfig configures nothing.
type TelemetryConfig struct{}

// DbWrapper carries the receiver's connection.
type DbWrapper struct{ Db *sql.DB }

// DbClient asks nothing.
type DbClient struct{}

// NewDbClient returns a client that refuses.
func NewDbClient(DbWrapper, string, *zap.Logger, TelemetryConfig) DbClient { return DbClient{} }

// QueryRows refuses.
func (DbClient) QueryRows(context.Context, ...any) ([]map[string]string, error) {
	return nil, errLeftOut
}
