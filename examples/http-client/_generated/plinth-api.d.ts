export interface paths {
    "/v1/functions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List what is deployed
         * @description Internal functions only for keys with `deploy` or `admin`.
         */
        get: operations["listFunctions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/functions/{id}/resolve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Which version would run, and what it takes */
        post: operations["resolveFunction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/functions/{id}/execute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Call a function */
        post: operations["executeFunction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/invocations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the record of a call
         * @description As a stream it tells what happened and what happens until the end.
         */
        get: operations["getInvocation"];
        put?: never;
        post?: never;
        /** Cancel a call */
        delete: operations["cancelInvocation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/invocations/{id}/artefacts/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a file that a function left */
        get: operations["getArtefact"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/code/execute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run inline code */
        post: operations["executeCode"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/deploy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Deploy functions
         * @description Checks and activates a version; the old one serves until the new one is warm.
         */
        post: operations["deploy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packages/{name}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Upload a version */
        post: operations["uploadVersion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List packages */
        get: operations["listPackages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packages/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the ledger of a package */
        get: operations["getPackage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packages/{name}/versions/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a version */
        get: operations["getPackageVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packages/{name}/promote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Move the head to a version */
        post: operations["promotePackage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packages/{name}/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Move the head back */
        post: operations["rollbackPackage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/packages/{name}/diff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Compare two versions */
        get: operations["diffPackage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/environment": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the environment
         * @description The variables that functions of the branch see, with `CONVEX_CLOUD_URL` and `CONVEX_SITE_URL`.
         */
        get: operations["getEnvironment"];
        put?: never;
        /** Change the environment */
        post: operations["setEnvironment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Log lines and errors of the branch's functions
         * @description Past ones, and as a stream also those that come.
         */
        get: operations["logs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/snap-ins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List snap-ins */
        get: operations["listSnapIns"];
        put?: never;
        /**
         * Install a package
         * @description Makes a draft, which is not active yet.
         */
        post: operations["installSnapIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/snap-ins/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a snap-in */
        get: operations["getSnapIn"];
        put?: never;
        post?: never;
        /** Deactivate and delete */
        delete: operations["removeSnapIn"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/snap-ins/{id}/configure": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Set inputs and keyrings */
        post: operations["configureSnapIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/snap-ins/{id}/activate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Activate
         * @description Answers when it is done or undone; as a stream it says what happens meanwhile.
         */
        post: operations["activateSnapIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/snap-ins/{id}/deactivate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Deactivate
         * @description Answers when it is done or undone; as a stream it says what happens meanwhile.
         */
        post: operations["deactivateSnapIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/snap-ins/{id}/upgrade": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move to another version of the package
         * @description Answers when it is done or undone; as a stream it says what happens meanwhile.
         */
        post: operations["upgradeSnapIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/snap-ins/{id}/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Set a package up for a user: open the event sources that it has for users, and set their inputs */
        post: operations["openSnapInUser"];
        /** End the event sources of a user */
        delete: operations["closeSnapInUser"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Publish an event to a source of a package
         * @description To a source of the type `flow-events`, at once or later. A key that waits already is a conflict, unless it may be changed.
         */
        post: operations["publishEvent"];
        /** Take back an event that waits for its time */
        delete: operations["unscheduleEvent"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/waiting": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What waits to be delivered, and why */
        get: operations["listWaiting"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what could not be delivered */
        get: operations["listDeadLetters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/dead-letters/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a dead letter with its payload */
        get: operations["getDeadLetter"];
        put?: never;
        post?: never;
        /** Delete a dead letter */
        delete: operations["discardDeadLetter"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/dead-letters/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Deliver a dead letter again
         * @description Puts it behind what waits now.
         */
        post: operations["replayDeadLetter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search the catalogue
         * @description All operations of the branch, or the best matches first.
         */
        get: operations["listOperations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read an operation
         * @description Its ports as fields, as JSON Schema and as forms.
         */
        get: operations["getOperation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations/{id}/execute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Execute an operation
         * @description An operation that says no answers 200 with `result.error`.
         */
        post: operations["executeOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations/{id}/schema": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ports that depend on the input */
        post: operations["operationSchema"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations/{id}/activate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin a trigger */
        post: operations["activateOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations/{id}/deactivate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a trigger */
        post: operations["deactivateOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flows/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check a definition */
        post: operations["checkFlow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List flows */
        get: operations["listFlows"];
        put?: never;
        /**
         * Publish a definition
         * @description New runs get it, those under way keep theirs. A definition with errors is not published: `version` is null then.
         */
        post: operations["publishFlow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flows/compare": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Compare a definition with recorded runs
         * @description Histories of runs that go on, then of the newest others, are replayed dry. Nothing is published.
         */
        post: operations["compareFlow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flows/dry-run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run a flow against mocks
         * @description Nothing reaches the outside but code whose mock is `run`. Time is simulated; nothing is stored.
         */
        post: operations["dryRunFlow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flows/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Import an exported flow
         * @description Everything is checked before anything changes, its tests included. Histories are not read.
         */
        post: operations["importFlow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flows/{name}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Export a flow as one document */
        get: operations["exportFlow"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flows/{name}/tests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the tests of a flow */
        get: operations["getFlowTests"];
        /**
         * Keep tests with a flow
         * @description They are exported with it. With findings they were not kept.
         */
        put: operations["setFlowTests"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-bundles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send the packages that the code of flows names
         * @description The archive is tried in a jail. Nothing is installed or resolved by the host.
         */
        post: operations["uploadFlowBundle"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-bundles/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Say what is in a bundle of packages */
        get: operations["getFlowBundle"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flows/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a flow */
        get: operations["getFlow"];
        put?: never;
        post?: never;
        /**
         * Delete a flow
         * @description With its versions, tests and ended runs. Refused while runs go on: bulk changes cancel them.
         */
        delete: operations["deleteFlow"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flows/{name}/address": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The address that starts a flow whose trigger is `webhook` */
        get: operations["getFlowAddress"];
        put?: never;
        /**
         * Give a flow another address
         * @description The old one starts nothing any more.
         */
        post: operations["renewFlowAddress"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flows/{name}/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Turn a flow on or off */
        put: operations["switchFlow"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flows/{name}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start a run
         * @description With `waitMs` it answers when the run has ended or waits, or after that time; else when the run is stored. An `api` trigger with the reply `sync` waits a minute.
         */
        post: operations["startFlow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List runs, the newest first
         * @description A page may be shorter than `limit`, or empty, and have more behind it: `next` says so.
         */
        get: operations["listFlowRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a run */
        get: operations["getFlowRun"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs/{id}/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where a run stands, or what it does
         * @description As a stream it tells each step, from the first one or behind `after`, what code prints, and where the run stands, until its end.
         */
        get: operations["getFlowRunState"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change many runs
         * @description A slice at a time, the newest runs first: send `id` and `next` again until `next` is null. Moves need `deploy`.
         */
        post: operations["changeFlowRuns"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs/{id}/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move a run to another version of its flow
         * @description It fits when the new version has the steps at which the run stands. The run goes on with the functions of now.
         */
        post: operations["moveFlowRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs/{id}/rerun": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run a flow again with the input of a run */
        post: operations["rerunFlowRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs/{id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the steps of a run did */
        get: operations["getFlowHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs/{id}/values/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The bytes of a large value of a run */
        get: operations["getFlowValue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs/{id}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What code of the steps of a run printed
         * @description Also while it prints. A step that is done again has an entry for each time.
         */
        get: operations["getFlowLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs/{id}/signal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a signal */
        post: operations["signalFlowRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a run
         * @description What its steps did is undone where they say how.
         */
        post: operations["cancelFlowRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Pause a run */
        post: operations["pauseFlowRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Resume a run */
        post: operations["resumeFlowRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-runs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a run that failed or was cancelled go on from a node */
        post: operations["retryFlowRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-answers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answer a step that waits */
        post: operations["answerFlowStep"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what users can type */
        get: operations["listCommands"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/{namespace}/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run a command */
        post: operations["runCommand"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/snap-kit/actions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tell a package what a user did with an element
         * @description With `element` it runs at once; with `elements` the actions are stored, and the answer is 202.
         */
        post: operations["runSnapKitAction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/snap-kit/initialize": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a component shows first */
        post: operations["initializeSnapKit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/imports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List imports of active packages */
        get: operations["listSyncImports"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/units": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List sync units */
        get: operations["listSyncUnits"];
        put?: never;
        /** Create a sync unit */
        post: operations["createSyncUnit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/units/{unit}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a sync unit with its runs */
        get: operations["getSyncUnit"];
        put?: never;
        post?: never;
        /**
         * Delete a sync unit
         * @description With its state, mappings and runs.
         */
        delete: operations["removeSyncUnit"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/units/{unit}/choose": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Choose the external unit
         * @description A run that waits for the choice goes on.
         */
        post: operations["chooseSyncUnit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/units/{unit}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a run */
        post: operations["startSyncRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/runs/{run}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a run with its calls */
        get: operations["getSyncRun"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/runs/{run}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel a run */
        post: operations["cancelSyncRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/runs/{run}/artefacts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what a run left */
        get: operations["listSyncArtefacts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/runs/{run}/artefacts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the bytes of an artefact */
        get: operations["getSyncArtefact"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync/runs/{run}/items": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What packages extracted in a run, item by item */
        get: operations["listSyncItems"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List tenants */
        get: operations["listTenants"];
        put?: never;
        /** Create a tenant */
        post: operations["createTenant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tenants/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Change a tenant */
        put: operations["changeTenant"];
        post?: never;
        /** Delete a tenant with all of its data */
        delete: operations["deleteTenant"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List keys */
        get: operations["listKeys"];
        put?: never;
        /** Create a key */
        post: operations["createKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a key */
        delete: operations["revokeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keyrings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List keyrings */
        get: operations["listKeyrings"];
        put?: never;
        /**
         * Store a secret
         * @description After its verification, where the type says how.
         */
        post: operations["createKeyring"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keyrings/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a keyring */
        get: operations["getKeyring"];
        /** Choose an organisation of the other system */
        put: operations["changeKeyring"];
        post?: never;
        /** Revoke and delete a keyring */
        delete: operations["revokeKeyring"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keyrings/oauth/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin a sign-in at another system */
        post: operations["startOauth"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keyrings/oauth/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where the user's browser comes back to
         * @description Answers with a page for people.
         */
        get: operations["finishOauth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keyrings/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Encrypt all keyrings under the newest master key */
        post: operations["rotateKeyrings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/branches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List branches
         * @description `main` is always there.
         */
        get: operations["listBranches"];
        put?: never;
        /** Create a branch */
        post: operations["createBranch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/branches/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete a branch */
        delete: operations["deleteBranch"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/branches/{name}/key": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a branch a new key
         * @description The old one ends at once, and with it the streams that it opened.
         */
        post: operations["rotateBranchKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/branches/{name}/snapshots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Heads of a branch at the end of past days */
        get: operations["listHeadSnapshots"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the limits of the tenant */
        get: operations["getLimits"];
        /**
         * Change the limits of the tenant
         * @description What is absent stays as it is. Everything but `functions` takes the admin key of the host.
         */
        put: operations["setLimits"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the tenant used and what it cost */
        get: operations["getUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the host is */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Metrics for Prometheus
         * @description Asks for no key where the host has `metricsOpen`.
         */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/backup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Write a consistent copy while the host runs */
        post: operations["backup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["getOpenApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Send an event to a package
         * @description Without a key. The package's policy says what the answer is: its status, its headers and its body.
         */
        get: operations["getWebhook"];
        put?: never;
        /**
         * Send an event to a package
         * @description Without a key. The package's policy says what the answer is: its status, its headers and its body.
         */
        post: operations["postWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/event-sources.invoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Send an event to a package, at the address that platforms of snap-ins give
         * @description Without a key. The package's policy says what the answer is: its status, its headers and its body.
         */
        get: operations["getEventSource"];
        put?: never;
        /**
         * Send an event to a package, at the address that platforms of snap-ins give
         * @description Without a key. The package's policy says what the answer is: its status, its headers and its body.
         */
        post: operations["postEventSource"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-hooks/{address}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Start a flow
         * @description Without a key, at the address of a flow whose trigger is `webhook`. The answer is what its run says, or `{run}` with 202; 204 when the filter of the trigger says no.
         */
        get: operations["getFlowHook"];
        put?: never;
        /**
         * Start a flow
         * @description Without a key, at the address of a flow whose trigger is `webhook`. The answer is what its run says, or `{run}` with 202; 204 when the filter of the trigger says no.
         */
        post: operations["postFlowHook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-callbacks/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a step of a flow asks
         * @description Without a key. A browser gets a page with a form.
         */
        get: operations["getFlowAnswer"];
        put?: never;
        /**
         * Answer a step of a flow
         * @description Without a key. `{output}` completes the step and `{error: {code, message, retryable?}}` fails it; any other JSON is its output. An approval is answered with `{approved, form?}`.
         */
        post: operations["postFlowAnswer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/flow-script-reports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report the end of a script of a flow
         * @description Without a key: `authorization: Bearer <token>` has the token that the script was given, and `x-plinth-signature` is `sha256=` with the HMAC-SHA-256 of the body under it, in hexadecimal. Each token is good for one report.
         */
        post: operations["postScriptReport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/email/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send an email to a package
         * @description Without a key. The body is the raw email.
         */
        post: operations["postEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/artefacts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a file that came with an email */
        get: operations["getInboundArtefact"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Artefact
         * @description A file that a function left.
         */
        Artefact: {
            name: string;
            contentType: string;
            /** @description sha-256 in hexadecimal. */
            digest: string;
            bytes: number;
        };
        /** Branch */
        Branch: {
            name: string;
            /** @description Absent of `main`. */
            createdMs?: number;
            base: components["schemas"]["BranchBase"] | null;
        };
        /**
         * BranchBase
         * @description What the branch started from.
         */
        BranchBase: {
            branch: string;
            /** @description In microseconds. */
            at: number;
        };
        /** Budget */
        Budget: {
            /** @enum {unknown} */
            period: "day" | "month";
            amount: number;
            /** @description Share of the amount. */
            warnAt: number;
            /** @description Share of the amount. */
            throttleAt: number;
            /**
             * @description What happens when the whole amount is spent.
             * @enum {unknown}
             */
            whenSpent: "degrade" | "refuse";
        };
        /** Command */
        Command: {
            namespace: string;
            name: string;
            description: string;
            usageHint: string;
            surfaces: {
                surface: string;
                objectTypes: string[];
            }[];
            package: string | null;
            /** @description Id of the snap-in. */
            snapIn: string | null;
            /** @description The flow that it starts. */
            flow: string | null;
        };
        /** CreatedBranch */
        CreatedBranch: {
            /** @description The key of the branch, shown this once. */
            key: string;
            name: string;
            /** @description Absent of `main`. */
            createdMs?: number;
            base: components["schemas"]["BranchBase"] | null;
        };
        /** CreatedKey */
        CreatedKey: {
            /** @description The key itself, shown this once. */
            key: string;
            id: string;
            tenant: string;
            /** @description For people. */
            name: string;
            scopes: components["schemas"]["KeyScope"][];
            /** @description Milliseconds since 1970. */
            createdMs: number;
            /** @description When it ends; null when it does not. */
            expiresMs: number | null;
        };
        /** CreatedTenant */
        CreatedTenant: {
            name: string;
            /** @description Whether public functions need a key with the scope `invoke`. */
            requireKey: boolean;
            /** @description Absent of the tenant `default`, which is always there. */
            createdMs?: number;
            /** @description What paths of the tenant begin with. */
            path: string;
        };
        /** DeadLetter */
        DeadLetter: {
            id: string;
            snapInId: string;
            automation: string;
            attempts: number;
            /** @description Milliseconds since 1970. */
            diedMs: number;
            error: {
                code: string;
                message: string;
            };
            /** @description The last invocation that tried. */
            invocation: string | null;
            event: {
                id: string;
                /** @description `custom:<type>` for events that were published here. */
                type: string;
                sourceId: string | null;
                /** @description Group within which order holds. */
                syncId: string | null;
                /** @description Milliseconds since 1970. */
                createdMs: number;
                /** @description What handlers got. */
                payload: unknown;
                key?: string;
            };
        };
        /** DeadLetterSummary */
        DeadLetterSummary: {
            id: string;
            snapInId: string;
            automation: string;
            attempts: number;
            /** @description Milliseconds since 1970. */
            diedMs: number;
            error: {
                code: string;
                message: string;
            };
            /** @description The last invocation that tried. */
            invocation: string | null;
            event: {
                id: string;
                /** @description `custom:<type>` for events that were published here. */
                type: string;
                sourceId: string | null;
                /** @description Group within which order holds. */
                syncId: string | null;
                /** @description Milliseconds since 1970. */
                createdMs: number;
            };
        };
        /** DeployResult */
        DeployResult: {
            /** @description Digest of the script. */
            version: string;
            /** @description False when the version served already. */
            changed: boolean;
            functions: {
                path: string;
                kind: components["schemas"]["FunctionKind"];
                /** @enum {unknown} */
                visibility: "public" | "internal";
            }[];
            indexesAdded: string[];
            indexesRemoved: string[];
            /** @description Milliseconds by step. */
            timings: {
                [key: string]: number;
            };
        };
        /**
         * Error
         * @description A request that was refused.
         */
        Error: {
            code: components["schemas"]["ErrorCode"];
            /** @description What happened, for people. */
            message: string;
            /** @description What to do next. */
            next: string;
        };
        /**
         * ErrorCode
         * @description Stays the same through all doors.
         * @enum {unknown}
         */
        ErrorCode: "MalformedJson" | "BadRequest" | "RequestTooLarge" | "TooDeep" | "TooManyValues" | "InvalidValue" | "Unauthenticated" | "Forbidden" | "BranchAccessDenied" | "OriginRefused" | "NotFound" | "FunctionNotFound" | "HandlerNotFound" | "OperationNotFound" | "OperationNotExecutable" | "OperationForbidden" | "PortUnknown" | "WrongFunctionKind" | "ArgumentValidation" | "IdempotencyConflict" | "MethodNotAllowed" | "SnapshotTooOld" | "FlowRunRefused" | "FlowVersionUnfit" | "FlowHasRuns" | "FlowBeingDeleted" | "FlowFiltered" | "FlowFilterFailed" | "FlowRunFailed" | "FlowTooDeep" | "FlowCheckTooLong" | "AnswerRefused" | "AlreadyExists" | "RestoreTargetNotEmpty" | "InvalidBackup" | "FunctionError" | "ReturnsValidation" | "FunctionTimeout" | "FunctionOutOfMemory" | "FunctionNeverResolves" | "SecurityViolation" | "PolicyViolation" | "InvalidCode" | "EffectDenied" | "LimitExceeded" | "LoopDetected" | "InvalidArgument" | "SchemaViolation" | "FetchRefused" | "FetchFailed" | "AiRefused" | "AiUnavailable" | "AiAnswerInvalid" | "KeyringTypeWrong" | "KeyringRefused" | "KeyringExpired" | "KeyringUnavailable" | "KeyringKeyMissing" | "KeyringUnreadable" | "NotAvailable" | "ToolFailed" | "WebhookRefused" | "WebhookFailed" | "EmailRefused" | "InvalidPackage" | "InvalidBundle" | "HookRefused" | "HookFailed" | "InvalidInputs" | "KeyringMissing" | "UpgradeRefused" | "SagaInProgress" | "WrongState" | "SyncReportStale" | "SyncRunEnded" | "SyncInProgress" | "SyncItemMapped" | "SchemaMismatch" | "VersionCollected" | "OptimisticConcurrencyControlFailure" | "TooManyConcurrentRequests" | "RateLimited" | "WebhookUndelivered" | "TooManyEventsWaiting" | "BudgetExceeded" | "ExpiredInQueue" | "DeadlineExceeded" | "Cancelled" | "RunnerLost" | "StaleLease" | "ShuttingDown" | "StoreFailure" | "DataFolderLocked" | "DataFolderUnusable" | "BadConfiguration" | "IsolationTooWeak" | "PortTaken" | "JailMissing" | "InternalError";
        /** EventSource */
        EventSource: {
            id: string;
            name: string;
            type: string;
            owner: {
                user?: string;
            };
            /** @description Where others send events to. */
            triggerUrl: string | null;
            /** @description Where others send emails to. */
            emailAddress: string | null;
            /** @description Markdown. */
            setupInstructions: string | null;
        };
        /**
         * ExternalUnit
         * @description Of the other system: a project, a workspace.
         */
        ExternalUnit: {
            id: string;
            name: string;
        };
        /**
         * Failure
         * @description Why a call failed.
         */
        Failure: {
            code: components["schemas"]["ErrorCode"];
            /** @description What happened, for people. */
            message: string;
            /** @description What to do next. */
            next: string;
            exitCode: number;
            /**
             * @description Who has to change something.
             * @enum {unknown}
             */
            fault: "caller" | "function" | "platform";
            /**
             * @description Whether the same call can succeed.
             * @enum {unknown}
             */
            retry: "never" | "later" | "automatic";
            /** @description Frames in the author's sources. */
            stack?: string;
            /** @description What the code threw with the error. */
            data?: unknown;
        };
        /** Flow */
        Flow: {
            name: string;
            description: string;
            /** @description What starts it. */
            trigger: string;
            /** @description Digest of the definition that new runs get. */
            version: string;
            /** @description Whether runs may begin. */
            isOn: boolean;
        };
        /** FlowAddress */
        FlowAddress: {
            name: string;
            /** @description Who knows it may start the flow. */
            url: string;
            /** @description Whether it starts the flow now. */
            isOn: boolean;
        };
        /** FlowBundle */
        FlowBundle: {
            /** @description sha-256 of the archive, in hexadecimal: its name in the lock of a flow. */
            digest: string;
            /** @enum {unknown} */
            language: "javascript" | "python";
            dependencies: string[];
            packages: string[];
            modules: string[];
        };
        /** FlowComparedRun */
        FlowComparedRun: {
            id: string;
            version: string;
            /** @enum {unknown} */
            status: "running" | "waiting" | "paused" | "undoing" | "completed" | "failed" | "cancelled";
            /** @description Milliseconds since 1970. */
            startedMs: number;
            misfits: components["schemas"]["FlowFinding"][] | null;
            differences: components["schemas"]["FlowReplayDifference"][];
            /** @description Events that were replayed. */
            events: number;
            /** @description Its history is longer. */
            isCut: boolean;
        };
        /** FlowDefinition */
        FlowDefinition: {
            /** @description The definition. */
            definition: {
                [key: string]: unknown;
            };
            versions: components["schemas"]["FlowVersion"][];
        };
        /** FlowDocument */
        FlowDocument: {
            /** @description `plinth-flow` */
            kind: string;
            format: number;
            name: string;
            version: string;
            note: string | null;
            /** @description The definition. */
            definition: {
                [key: string]: unknown;
            };
            /** @description A file of tests. */
            tests: unknown;
            /** @description Histories, for support. */
            runs: {
                run: components["schemas"]["FlowRun"];
                events: unknown[];
                steps: unknown[];
                isCut: boolean;
            }[];
        };
        /** FlowDryReport */
        FlowDryReport: {
            /** @enum {unknown} */
            status: "completed" | "failed" | "cancelled" | "unanswered" | "endless";
            output: unknown;
            error: unknown;
            /** @description The step that has no mock. */
            unanswered: unknown;
            path: string[];
            calls: unknown[];
            undone: string[];
            variables: {
                [key: string]: unknown;
            };
            /** @description In the time of the run. */
            elapsedMs: number;
        };
        /** FlowFinding */
        FlowFinding: {
            /** @description Where in the definition. */
            path: string;
            node: string | null;
            message: string;
            /** @enum {unknown} */
            severity: "error" | "warning";
            position?: {
                line: number;
                column: number;
            };
        };
        /** FlowPrint */
        FlowPrint: {
            /** @description The same for all that an attempt of a step prints. */
            id: string;
            /** @description Of the step. */
            key: string;
            attempt: number;
            node: string;
            /** @description Lines with this `id` that came before. A watcher that comes again is told all of them again. */
            from: number;
            lines: {
                level: string;
                text: string;
                /** @description Milliseconds since 1970. */
                atMs: number;
            }[];
            /** @description Lines beyond the limits, until now. */
            dropped: number;
        };
        /** FlowReplayDifference */
        FlowReplayDifference: {
            /** @description Position of the event in the journal. */
            event: number;
            /** @enum {unknown} */
            kind: "refused" | "step" | "command";
            node: string | null;
            message: string;
            /** @description What the old version does. */
            before: unknown;
            /** @description What the new one does. */
            after: unknown;
        };
        /** FlowRun */
        FlowRun: {
            id: string;
            flow: string;
            version: string;
            /** @enum {unknown} */
            status: "running" | "waiting" | "paused" | "undoing" | "completed" | "failed" | "cancelled";
            /** @description Why it does not go on. */
            reason: {
                code: string;
                text: string;
                /** @description Milliseconds since 1970. */
                untilMs: number | null;
                node: string | null;
            } | null;
            trigger: string;
            /** @description Milliseconds since 1970. */
            startedMs: number;
            /** @description Milliseconds since 1970. */
            endedMs: number | null;
            /** @description Why it failed. */
            error: {
                code: string;
                message: string;
                node: string | null;
            } | null;
        };
        /** FlowRunChanges */
        FlowRunChanges: {
            /** @description Of the whole change: send it with the next slice, and again after a failure. */
            id: string;
            /** @description Runs that were looked at. */
            seen: number;
            /** @description Runs that fit the filter. */
            matched: number;
            /** @description Ids; of a count, those that would be changed. */
            done: string[];
            /** @description Changed by an earlier request with the same id. */
            already: string[];
            refused: {
                id: string;
                message: string;
            }[];
            /** @description Send it as `after` for the next slice; null at the end. */
            next: string | null;
        };
        /** FlowRunDetail */
        FlowRunDetail: {
            /** @description The step of another run that began it. */
            parent: {
                run: string;
                node: string;
            } | null;
            id: string;
            flow: string;
            version: string;
            /** @enum {unknown} */
            status: "running" | "waiting" | "paused" | "undoing" | "completed" | "failed" | "cancelled";
            /** @description Why it does not go on. */
            reason: {
                code: string;
                text: string;
                /** @description Milliseconds since 1970. */
                untilMs: number | null;
                node: string | null;
            } | null;
            trigger: string;
            /** @description Milliseconds since 1970. */
            startedMs: number;
            /** @description Milliseconds since 1970. */
            endedMs: number | null;
            /** @description Why it failed. */
            error: {
                code: string;
                message: string;
                node: string | null;
            } | null;
            /** @description Of a run that has completed. */
            output: unknown;
            /** @description What it has told the agent that called it. */
            reply: unknown;
            variables: {
                [key: string]: unknown;
            };
            /** @description Parts that are too large to be told; null stands for them. */
            stored: {
                /** @description Names and places on the way to it. */
                path: unknown[];
                /** @description sha-256. */
                digest: string;
                bytes: number;
                contentType: string;
            }[];
            /** @description What waits for an answer. */
            answers: {
                node: string;
                /** @enum {unknown} */
                kind: "callback" | "approval";
                /** @description Null for keys without `admin` where it is an approver's, and where the host has the key no more with which it was made. */
                token: string | null;
                /** @description Where it is answered without a key. */
                url: string | null;
                /** @description Milliseconds since 1970. */
                untilMs: number;
                approver: string | null;
            }[];
        };
        /** FlowRunShown */
        FlowRunShown: {
            /** @description The step of another run that began it. */
            parent: {
                run: string;
                node: string;
            } | null;
            id: string;
            flow: string;
            version: string;
            /** @enum {unknown} */
            status: "running" | "waiting" | "paused" | "undoing" | "completed" | "failed" | "cancelled";
            /** @description Why it does not go on. */
            reason: {
                code: string;
                text: string;
                /** @description Milliseconds since 1970. */
                untilMs: number | null;
                node: string | null;
            } | null;
            trigger: string;
            /** @description Milliseconds since 1970. */
            startedMs: number;
            /** @description Milliseconds since 1970. */
            endedMs: number | null;
            /** @description Why it failed. */
            error: {
                code: string;
                message: string;
                node: string | null;
            } | null;
            /** @description Of a run that has completed. */
            output: unknown;
            /** @description What it has told the agent that called it. */
            reply: unknown;
            variables: {
                [key: string]: unknown;
            };
            /** @description Parts that are too large to be told; null stands for them. */
            stored: {
                /** @description Names and places on the way to it. */
                path: unknown[];
                /** @description sha-256. */
                digest: string;
                bytes: number;
                contentType: string;
            }[];
            /** @description What waits for an answer. */
            answers: {
                node: string;
                /** @enum {unknown} */
                kind: "callback" | "approval";
                /** @description Null for keys without `admin` where it is an approver's, and where the host has the key no more with which it was made. */
                token: string | null;
                /** @description Where it is answered without a key. */
                url: string | null;
                /** @description Milliseconds since 1970. */
                untilMs: number;
                approver: string | null;
            }[];
            /** @description Runs that its steps have begun, the newest first. */
            children: string[];
            /** @description Answers that changed nothing, the first ones. */
            refusedAnswers: {
                /** @description Milliseconds since 1970. */
                atMs: number;
                /** @enum {unknown} */
                code: "late" | "double" | "forged";
                message: string;
                node: string | null;
                via: string;
            }[];
        };
        /** FlowRunState */
        FlowRunState: {
            id: string;
            flow: string;
            version: string;
            /** @enum {unknown} */
            status: "running" | "waiting" | "paused" | "undoing" | "completed" | "failed" | "cancelled";
            /** @description Why it does not go on. */
            reason: {
                code: string;
                text: string;
                /** @description Milliseconds since 1970. */
                untilMs: number | null;
                node: string | null;
            } | null;
            trigger: string;
            /** @description Milliseconds since 1970. */
            startedMs: number;
            /** @description Milliseconds since 1970. */
            endedMs: number | null;
            /** @description Why it failed. */
            error: {
                code: string;
                message: string;
                node: string | null;
            } | null;
            /** @description One of each place where it stands. */
            reasons: {
                code: string;
                words: string;
                node: string | null;
                key: string | null;
                /** @description Milliseconds since 1970. */
                sinceMs: number;
                /** @description Milliseconds since 1970. */
                untilMs: number | null;
            }[];
            /** @description What it was given. */
            input: unknown;
            variables: {
                [key: string]: unknown;
            };
            /** @description Results of steps in the chains that are open. */
            steps: {
                node: string;
                chain: string;
                place: number;
                output: unknown;
                error: unknown;
            }[];
            /** @description Milliseconds since 1970. */
            deadlineMs: number;
            undone: number;
            undoFailures: string[];
            events: number;
            /** @description Nodes at which a retry may begin. */
            retryFrom: string[];
        };
        /** FlowStep */
        FlowStep: {
            /** @enum {unknown} */
            kind: "begun" | "ended" | "failed" | "retrying" | "undone";
            node: string;
            chain: string;
            /** @description Item, iteration or branch. */
            place: number;
            /** @description Milliseconds since 1970. */
            atMs: number;
            /** @description The same in every attempt. */
            key: string | null;
            attempt: number;
            /** @description Input of a call that begins, output of a step that ends. */
            value: unknown;
            /** @description Parts that are too large to be told; null stands for them. */
            stored: {
                /** @description Names and places on the way to it. */
                path: unknown[];
                /** @description sha-256. */
                digest: string;
                bytes: number;
                contentType: string;
            }[];
            error: unknown;
        };
        /** FlowVersion */
        FlowVersion: {
            flow: string;
            /** @description Digest of the definition. */
            version: string;
            seq: number;
            /** @description Milliseconds since 1970. */
            createdMs: number;
            note: string | null;
        };
        /** FormField */
        FormField: {
            name: string;
            label: string;
            widget: string;
            required: boolean;
            /** @description Shown below the field. */
            help: string;
            options?: {
                value: string;
                label: string;
            }[];
            /** @description Whose ids. */
            references?: string[];
            /** @description 1 for whole numbers. */
            step?: number;
            fields?: components["schemas"]["FormField"][];
            /** @description What each item of a list is shown with. */
            item?: string;
            initial?: unknown;
            hidden?: boolean;
            placeholder?: string;
        };
        /**
         * FunctionKind
         * @enum {unknown}
         */
        FunctionKind: "query" | "mutation" | "action" | "httpAction" | "handler" | "inline";
        /** FunctionList */
        FunctionList: {
            branch: string;
            /** @description Digest of the version that serves; null when there is none. */
            version: string | null;
            functions: {
                path: string;
                kind: components["schemas"]["FunctionKind"];
                /** @enum {unknown} */
                visibility: "public" | "internal";
            }[];
        };
        /** InputPort */
        InputPort: {
            /** @description `default` unless there are several. */
            name: string;
            fields: components["schemas"]["OperationField"][];
            /** @description Takes and gives other fields too. */
            isOpen?: boolean;
            /** @description JSON Schema 2020-12. */
            schema: {
                [key: string]: unknown;
            };
            form: components["schemas"]["FormField"][];
        };
        /**
         * InvocationOutcome
         * @description How the call ended. A failure of the code is a result.
         */
        InvocationOutcome: {
            /** @description Id of the invocation. */
            id: string;
            /** @description 32 hexadecimal digits. */
            traceId: string;
            /** @description Path of what ran. */
            function: string;
            /** @description Digest of the version that ran. */
            version: string;
            logs: components["schemas"]["LogLine"][];
            /** @description Lines that were too many. */
            logsDropped: number;
            usage: components["schemas"]["Usage"];
            /** @constant */
            status: "succeeded";
            /** @description What the code returned. */
            value: unknown;
        } | {
            /** @description Id of the invocation. */
            id: string;
            /** @description 32 hexadecimal digits. */
            traceId: string;
            /** @description Path of what ran. */
            function: string;
            /** @description Digest of the version that ran. */
            version: string;
            logs: components["schemas"]["LogLine"][];
            /** @description Lines that were too many. */
            logsDropped: number;
            usage: components["schemas"]["Usage"];
            /** @constant */
            status: "failed";
            error: components["schemas"]["Failure"];
        };
        /** InvocationRecord */
        InvocationRecord: {
            id: string;
            tenant: string;
            branch: string;
            function: string;
            /** @description As `function`. */
            functionPath: string;
            kind: components["schemas"]["FunctionKind"];
            version: string;
            /**
             * @description What started it.
             * @enum {unknown}
             */
            source: "convex" | "native" | "httpAction" | "schedule" | "cron" | "function" | "hook" | "grpc" | "mcp" | "snapIn" | "automation" | "snapKit" | "keyring" | "command" | "sync" | "agentSkill";
            traceId?: string;
            /** @enum {unknown} */
            status: "queued" | "running" | "succeeded" | "failed" | "cancelled";
            /**
             * @description As `status`.
             * @enum {unknown}
             */
            state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
            /**
             * @description Why it waits.
             * @enum {unknown}
             */
            waitReason?: "tenantQueries" | "tenantMutations" | "tenantActions" | "hostCapacity" | "noRunner" | "conflictBackoff" | "retryBackoff" | "scheduled" | "draining";
            /** @description Milliseconds since 1970. */
            createdMs: number;
            /** @description Milliseconds since 1970. */
            startedMs?: number;
            /** @description Milliseconds since 1970. */
            finishedMs?: number;
            /** @description What the code returned; absent until then. */
            value?: unknown;
            /** @description Digest of a value that was large. */
            valueBlob?: string;
            artefacts?: components["schemas"]["Artefact"][];
            error?: {
                code: components["schemas"]["ErrorCode"];
                /** @description What happened, for people. */
                message: string;
                /** @description What to do next. */
                next?: string;
                stack?: string;
                data?: unknown;
            };
            logs: components["schemas"]["LogLine"][];
            logsDropped: number;
            usage?: components["schemas"]["Usage"];
            /** @description Grows with each process that takes the call over. */
            fencingToken: number;
        };
        /** Key */
        Key: {
            id: string;
            tenant: string;
            /** @description For people. */
            name: string;
            scopes: components["schemas"]["KeyScope"][];
            /** @description Milliseconds since 1970. */
            createdMs: number;
            /** @description When it ends; null when it does not. */
            expiresMs: number | null;
        };
        /**
         * KeyScope
         * @description What a key may do; `admin` includes all.
         * @enum {unknown}
         */
        KeyScope: "admin" | "deploy" | "invoke" | "read";
        /**
         * Keyring
         * @description Credentials of another system, without the secret.
         */
        Keyring: {
            id: string;
            name: string;
            /** @description Name of a built-in type, or `<package>/<type id>`. */
            type: string;
            /** @enum {unknown} */
            kind: "secret" | "oauth2";
            owner: {
                /** @description Absent of keyrings of the organisation. */
                user?: string;
            };
            /** @description Milliseconds since 1970. */
            createdMs: number;
            /** @description Milliseconds since 1970. */
            updatedMs: number;
            /** @enum {unknown} */
            state: "active" | "expired" | "revoked" | "pending";
            organization: components["schemas"]["KeyringOrganization"] | null;
            /** @description What to choose from, when the other system named several. */
            organizations: {
                id: string;
                name: string;
            }[];
            /** @description When the access token ends. */
            expiresMs: number | null;
        };
        /** KeyringOrganization */
        KeyringOrganization: {
            id: string;
            name: string;
        };
        /** LogEntry */
        LogEntry: {
            /** @description Milliseconds since 1970. */
            atMs: number;
            /** @description Id of the invocation. */
            invocation: string;
            functionPath: string;
            /** @enum {unknown} */
            level: "debug" | "log" | "info" | "warn" | "error";
            text: string;
        };
        /** LogLine */
        LogLine: {
            /** @enum {unknown} */
            level: "debug" | "log" | "info" | "warn" | "error";
            text: string;
            /** @description Milliseconds since 1970. */
            atMs: number;
        };
        /** Operation */
        Operation: {
            /** @description `<namespace>/<slug>` */
            name: string;
            slug: string;
            /** @description `plinth`, `objects`, `functions`, or the name of a package. */
            namespace: string;
            displayName: string;
            description: string;
            /** @enum {unknown} */
            type: "action" | "trigger";
            /** @enum {unknown} */
            origin: "native" | "object" | "package" | "function" | "flow";
            /**
             * @description `outside` may reach other systems.
             * @enum {unknown}
             */
            effect: "read" | "write" | "outside";
            isAgentSkill: boolean;
            isWorkflowNode: boolean;
            scopes: string[];
            timeoutMs: number | null;
            /** @description JSON Schema 2020-12. */
            inputSchema: {
                [key: string]: unknown;
            };
            /** @description JSON Schema 2020-12. */
            outputSchema: {
                [key: string]: unknown;
            };
            /** @description Of the first port. */
            form: components["schemas"]["FormField"][];
            inputs: components["schemas"]["InputPort"][];
            outputs: components["schemas"]["OutputPort"][];
        };
        /** OperationField */
        OperationField: {
            name: string;
            description: string;
            fieldType: string;
            /** @description Type of the elements of an array. */
            baseType: string | null;
            idType: string[];
            allowedValues: string[];
            isRequired: boolean;
            defaultValue?: unknown;
            ui: {
                [key: string]: unknown;
            };
            /** @description Of composites and structs. */
            fields?: components["schemas"]["OperationField"][];
            /** @description The exact schema of a value that fields cannot say. */
            schema?: {
                [key: string]: unknown;
            };
        };
        /**
         * OperationOutcome
         * @description How the call ended. A failure of the code is a result.
         */
        OperationOutcome: {
            /** @description Id of the invocation. */
            id: string;
            /** @description 32 hexadecimal digits. */
            traceId: string;
            /** @description Path of what ran. */
            function: string;
            /** @description Digest of the version that ran. */
            version: string;
            logs: components["schemas"]["LogLine"][];
            /** @description Lines that were too many. */
            logsDropped: number;
            usage: components["schemas"]["Usage"];
            /** @constant */
            status: "succeeded";
            /** @description `<namespace>/<slug>` */
            operation: string;
            result: components["schemas"]["OperationResult"];
        } | {
            /** @description Id of the invocation. */
            id: string;
            /** @description 32 hexadecimal digits. */
            traceId: string;
            /** @description Path of what ran. */
            function: string;
            /** @description Digest of the version that ran. */
            version: string;
            logs: components["schemas"]["LogLine"][];
            /** @description Lines that were too many. */
            logsDropped: number;
            usage: components["schemas"]["Usage"];
            /** @constant */
            status: "failed";
            /** @description `<namespace>/<slug>` */
            operation: string;
            result: components["schemas"]["OperationResult"];
            error: components["schemas"]["Failure"];
        };
        /** OperationResult */
        OperationResult: {
            /** @description Values of the port `default`. */
            output: {
                values: {
                    [key: string]: unknown;
                }[];
            };
        } | {
            ports: {
                port: string;
                values: {
                    [key: string]: unknown;
                }[];
            }[];
        } | {
            /** @description The operation says no: a result. */
            error: {
                /** @enum {unknown} */
                type: "unknown" | "invalidRequest" | "retryExecution";
                message: string;
            };
        };
        /** OperationSummary */
        OperationSummary: {
            /** @description `<namespace>/<slug>` */
            name: string;
            slug: string;
            /** @description `plinth`, `objects`, `functions`, or the name of a package. */
            namespace: string;
            displayName: string;
            description: string;
            /** @enum {unknown} */
            type: "action" | "trigger";
            /** @enum {unknown} */
            origin: "native" | "object" | "package" | "function" | "flow";
            /**
             * @description `outside` may reach other systems.
             * @enum {unknown}
             */
            effect: "read" | "write" | "outside";
            isAgentSkill: boolean;
        };
        /** OutputPort */
        OutputPort: {
            /** @description `default` unless there are several. */
            name: string;
            fields: components["schemas"]["OperationField"][];
            /** @description Takes and gives other fields too. */
            isOpen?: boolean;
            /** @description JSON Schema 2020-12. */
            schema: {
                [key: string]: unknown;
            };
        };
        /** Package */
        Package: {
            name: string;
            /** @description sha-256 of the archive in hexadecimal. */
            version: string;
            /** @description Number of the last entry of the ledger. */
            seq: number;
            /** @description Milliseconds since 1970. */
            deployedMs: number;
            runtime: components["schemas"]["Runtime"];
        };
        /** PackageDiff */
        PackageDiff: {
            /** @description sha-256 of the archive in hexadecimal. */
            from: string;
            /** @description sha-256 of the archive in hexadecimal. */
            to: string;
            filesAdded: string[];
            filesRemoved: string[];
            filesChanged: string[];
            functionsAdded: string[];
            functionsRemoved: string[];
            /** @description Unified diff of manifest.yaml; empty when it is the same. */
            manifest: string;
        };
        /** PackageLedgerEntry */
        PackageLedgerEntry: {
            seq: number;
            /** @description sha-256 of the archive in hexadecimal. */
            version: string;
            /** @description The version before. */
            parent: string | null;
            /** @description Milliseconds since 1970. */
            atMs: number;
            /** @description Id of a key, or `admin`. */
            by: string;
            /** @description For the ledger. */
            note: string | null;
            /**
             * @description What moved the head.
             * @enum {unknown}
             */
            cause: "upload" | "promote" | "rollback";
            /** @description Whether the version can still be promoted. */
            stored: boolean;
        };
        /** PackageUpload */
        PackageUpload: {
            package: string;
            /** @description sha-256 of the archive in hexadecimal. */
            version: string;
            runtime: components["schemas"]["Runtime"];
            /** @description False when the head stood there already. */
            changed: boolean;
            functions: string[];
            /** @description Warnings. */
            findings: {
                /** @enum {unknown} */
                severity: "error" | "warning";
                /** @description Where in the manifest: `functions[2].name`. */
                path: string;
                line: number;
                message: string;
            }[];
            archiveBytes: number;
            files: number;
            /** @description Milliseconds by step. */
            timings: {
                [key: string]: number;
            };
        };
        /** PackageVersion */
        PackageVersion: {
            package: string;
            /** @description sha-256 of the archive in hexadecimal. */
            version: string;
            runtime: components["schemas"]["Runtime"];
            /** @description The manifest as it was read. */
            manifest: {
                [key: string]: unknown;
            };
            functions: string[];
            /** @description Milliseconds since 1970. */
            createdMs: number;
        };
        /** QueuedCall */
        QueuedCall: {
            /** @description Id of the invocation. */
            id: string;
            /** @constant */
            status: "queued";
            /** @description Where the record of the call is. */
            location: string;
        };
        /** QueuedOperation */
        QueuedOperation: {
            /** @description Id of the invocation. */
            id: string;
            /** @constant */
            status: "queued";
            operation: string;
            /** @description Where the record of the call is. */
            location: string;
        };
        /** ResolvedFunction */
        ResolvedFunction: {
            path: string;
            kind: components["schemas"]["FunctionKind"];
            /** @enum {unknown} */
            visibility: "public" | "internal";
            branch: string;
            version: string;
            /** @description Validator of the arguments. */
            args: unknown;
            /** @description Validator of the result. */
            returns: unknown;
        };
        /**
         * Runtime
         * @enum {unknown}
         */
        Runtime: "isolate" | "node" | "python" | "wasm";
        /** SnapIn */
        SnapIn: {
            id: string;
            package: string;
            version: string;
            /** @enum {unknown} */
            state: "draft" | "activating" | "active" | "error" | "deactivating" | "inactive";
            /** @description What went wrong last. */
            stateReason: string | null;
            inputs: {
                [key: string]: unknown;
            };
            /** @description Name in the manifest to the name of a keyring of the branch. */
            keyrings: {
                [key: string]: string;
            };
            eventSources: components["schemas"]["EventSource"][];
            serviceAccountId: string | null;
            tags: {
                [key: string]: {
                    id: string;
                };
            };
            /** @description Milliseconds since 1970. */
            createdMs: number;
            /** @description Milliseconds since 1970. */
            updatedMs: number;
        };
        /** SnapKitElement */
        SnapKitElement: {
            /** @description Of the element. */
            id?: string;
            /** @description In place of `id`. */
            action_id?: string;
            type: string;
            value?: unknown;
            block_id?: string | null;
            /** @description Seconds since 1970. */
            timestamp?: unknown;
        };
        /** SyncArtefact */
        SyncArtefact: {
            id: string;
            name: string;
            contentType: string;
            call: number;
            /** @description Null until it was uploaded. */
            digest: string | null;
            bytes: number;
            /** @description A confirmed one does not change any more. */
            confirmed: boolean;
            itemType: string | null;
            itemCount: number | null;
            /** @description Milliseconds since 1970. */
            createdMs: number;
        };
        /** SyncCall */
        SyncCall: {
            call: number;
            /** @enum {unknown} */
            phase: "externalUnits" | "metadata" | "data" | "attachments" | "loadData" | "loadAttachments" | "deleteData" | "deleteAttachments" | "deleteLoadedData" | "deleteLoadedAttachments";
            resumed: boolean;
            invocationId: string | null;
            /** @description Milliseconds since 1970. */
            createdMs: number;
            /** @description Milliseconds since 1970. */
            endedMs: number | null;
            /** @enum {unknown} */
            result: "done" | "progress" | "delayed" | "error" | null;
            /** @description Why it failed, or why a report of it was refused. */
            note: string | null;
            reportDigest: string | null;
            /** @description What a loader says that it did, by type of item. */
            counts: {
                [key: string]: unknown;
            }[];
        };
        /** SyncImport */
        SyncImport: {
            snapInId: string;
            package: string;
            slug: string;
            displayName: string;
            description: string;
            connectionTypes: string[];
            capabilities: string[];
            canLoad: boolean;
        };
        /** SyncRun */
        SyncRun: {
            id: string;
            unitId: string;
            snapInId: string;
            function: string;
            /**
             * @description Which names of events the package knows.
             * @enum {unknown}
             */
            family: "old" | "new";
            /** @enum {unknown} */
            mode: "INITIAL" | "INCREMENTAL" | "LOADING" | "DELETE_EXTRACTED" | "DELETE_LOADED";
            /** @enum {unknown} */
            phase: "externalUnits" | "metadata" | "data" | "attachments" | "loadData" | "loadAttachments" | "deleteData" | "deleteAttachments" | "deleteLoadedData" | "deleteLoadedAttachments";
            /** @enum {unknown} */
            status: "calling" | "paused" | "choosing" | "done" | "failed" | "cancelled";
            /** @description Number of the invocation that runs or ran last. */
            call: number;
            /** @description Until when it pauses. */
            untilMs: number | null;
            /** @description Why it failed. */
            reason: string | null;
            /** @description Why it waits, in words. */
            waits: string | null;
            options: {
                [key: string]: unknown;
            };
            /** @description Callbacks that were refused. */
            refused: number;
            artefacts: number;
            artefactBytes: number;
            /** @description Milliseconds since 1970. */
            createdMs: number;
            /** @description Milliseconds since 1970. */
            endedMs: number | null;
        };
        /** SyncRunWithCalls */
        SyncRunWithCalls: {
            id: string;
            unitId: string;
            snapInId: string;
            function: string;
            /**
             * @description Which names of events the package knows.
             * @enum {unknown}
             */
            family: "old" | "new";
            /** @enum {unknown} */
            mode: "INITIAL" | "INCREMENTAL" | "LOADING" | "DELETE_EXTRACTED" | "DELETE_LOADED";
            /** @enum {unknown} */
            phase: "externalUnits" | "metadata" | "data" | "attachments" | "loadData" | "loadAttachments" | "deleteData" | "deleteAttachments" | "deleteLoadedData" | "deleteLoadedAttachments";
            /** @enum {unknown} */
            status: "calling" | "paused" | "choosing" | "done" | "failed" | "cancelled";
            /** @description Number of the invocation that runs or ran last. */
            call: number;
            /** @description Until when it pauses. */
            untilMs: number | null;
            /** @description Why it failed. */
            reason: string | null;
            /** @description Why it waits, in words. */
            waits: string | null;
            options: {
                [key: string]: unknown;
            };
            /** @description Callbacks that were refused. */
            refused: number;
            artefacts: number;
            artefactBytes: number;
            /** @description Milliseconds since 1970. */
            createdMs: number;
            /** @description Milliseconds since 1970. */
            endedMs: number | null;
            calls: components["schemas"]["SyncCall"][];
        };
        /** SyncUnit */
        SyncUnit: {
            id: string;
            snapInId: string;
            importSlug: string;
            /** @description Name of a keyring of the organisation. */
            keyring: string;
            external: components["schemas"]["ExternalUnit"] | null;
            /** @description Item types and whether each is extracted. */
            objects: {
                [key: string]: unknown;
            } | null;
            /** @description How many mappings it has. */
            mappers: number;
            /** @description The run that goes on. */
            activeRunId: string | null;
            /** @description Milliseconds since 1970. */
            createdMs: number;
            /** @description Milliseconds since 1970. */
            updatedMs: number;
        };
        /** SyncUnitWithRuns */
        SyncUnitWithRuns: {
            id: string;
            snapInId: string;
            importSlug: string;
            /** @description Name of a keyring of the organisation. */
            keyring: string;
            external: components["schemas"]["ExternalUnit"] | null;
            /** @description Item types and whether each is extracted. */
            objects: {
                [key: string]: unknown;
            } | null;
            /** @description How many mappings it has. */
            mappers: number;
            /** @description The run that goes on. */
            activeRunId: string | null;
            /** @description Milliseconds since 1970. */
            createdMs: number;
            /** @description Milliseconds since 1970. */
            updatedMs: number;
            /** @description The newest first. */
            runs: components["schemas"]["SyncRun"][];
        };
        /** Tenant */
        Tenant: {
            name: string;
            /** @description Whether public functions need a key with the scope `invoke`. */
            requireKey: boolean;
            /** @description Absent of the tenant `default`, which is always there. */
            createdMs?: number;
        };
        /**
         * TenantLimits
         * @description What the tenant's calls may take.
         */
        TenantLimits: {
            rate: {
                perSecond: number;
                /** @description How many at once. */
                burst: number;
            } | null;
            /** @description How many run at the same time; more of them wait. */
            concurrency: number | null;
            /** @description Of every call; what is null has the host's limit. */
            calls: {
                cpuMs: number | null;
                wallMs: number | null;
                memoryBytes: number | null;
                resultBytes: number | null;
            };
            budget: components["schemas"]["Budget"] | null;
            /** @description The first whose name fits is the one. */
            functions: {
                /** @description Path of a function, or its beginning with `*` behind it. */
                function: string;
                rate: {
                    perSecond: number;
                    /** @description How many at once. */
                    burst: number;
                } | null;
                /** @description How many run at the same time; more of them wait. */
                concurrency: number | null;
                cpuMs: number | null;
                wallMs: number | null;
                memoryBytes: number | null;
                resultBytes: number | null;
            }[];
        };
        /** Usage */
        Usage: {
            queueMs: number;
            executionMs: number;
            /** @description CPU time of the code itself. */
            userMs: number;
            memoryBytes: number;
            attempts: number;
            conflicts: number;
            coldStart: boolean;
            /** @description The result of an earlier call of the same query. */
            cached: boolean;
            databaseReadBytes: number;
            databaseWriteBytes: number;
            documentsRead: number;
            documentsWritten: number;
            /** @description Bytes of requests to other systems and of their answers. */
            egressBytes: number;
            /** @description What it costs by the host's prices, in billionths of the currency's unit. */
            costNanos: number;
        };
    };
    responses: {
        /** @description Refused for a reason that every route has. */
        Refused: {
            headers: {
                /** @description Seconds after which the same request may succeed. */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
    };
    parameters: {
        /** @description The branch meant; `main` when absent. */
        Branch: string;
        /** @description The branch meant, in place of `?branch=`. */
        BranchHeader: string;
        /** @description Key of the branch; every branch but `main` asks for it. */
        BranchKey: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listFunctions: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FunctionList"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    resolveFunction: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description `dir/module:export`, or `@<package>/<function>` for functions of packages. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResolvedFunction"];
                };
            };
            /** @description FunctionNotFound, HandlerNotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    executeFunction: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description `respond-async` stores the call and answers 202. */
                Prefer?: string;
                /** @description Which calls go first when places are short; `normal` when absent. */
                "X-Plinth-Priority"?: "interactive" | "normal" | "background";
                /** @description Milliseconds from now until the caller gives up. */
                "X-Plinth-Deadline-Ms"?: string;
                /** @description As `idempotencyKey`. */
                "Idempotency-Key"?: string;
                /** @description The trace that the caller is in (W3C Trace Context). */
                traceparent?: string;
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description `dir/module:export`, or `@<package>/<function>` for functions of packages. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    args?: {
                        [key: string]: unknown;
                    } | {
                        [key: string]: unknown;
                    }[] | null;
                    /** @description In place of `args`. */
                    input?: {
                        [key: string]: unknown;
                    } | {
                        [key: string]: unknown;
                    }[] | null;
                    /**
                     * @description `async` stores the call and answers 202.
                     * @enum {unknown}
                     */
                    mode?: "sync" | "async" | null;
                    /**
                     * @description Which calls go first when places are short; `normal` when absent.
                     * @enum {unknown}
                     */
                    priority?: "interactive" | "normal" | "background" | null;
                    /** @description Milliseconds from now until the caller gives up. */
                    deadlineMs?: number | null;
                    /** @description A call with a key that was used before answers with the first outcome, also after a restart. */
                    idempotencyKey?: string | null;
                };
            };
        };
        responses: {
            /** @description The call has ended; a failure of the function is a result. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvocationOutcome"];
                    "text/event-stream": string;
                    "application/x-ndjson": string;
                };
            };
            /** @description The call is stored durably. */
            202: {
                headers: {
                    /** @description Where the record of the call is. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuedCall"];
                };
            };
            /** @description WrongFunctionKind, ArgumentValidation */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FunctionNotFound, HandlerNotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WrongState, IdempotencyConflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description RateLimited, TooManyEventsWaiting */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Cancelled */
            499: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description ExpiredInQueue, RunnerLost */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description DeadlineExceeded */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getInvocation: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvocationRecord"];
                    "text/event-stream": string;
                    "application/x-ndjson": string;
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    cancelInvocation: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        /** @description False when it had ended already. */
                        cancelled: boolean;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getArtefact: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                id: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file, with the type that the function gave it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    executeCode: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description `python` when absent.
                     * @enum {unknown}
                     */
                    language?: "python" | "javascript" | null;
                    code: string;
                    /** @description What the code gets. */
                    inputs?: unknown;
                    timeoutMs?: number | null;
                    keyrings?: string[] | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvocationOutcome"];
                };
            };
            /** @description ArgumentValidation */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description IdempotencyConflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description RateLimited, TooManyEventsWaiting */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Cancelled */
            499: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description ExpiredInQueue, RunnerLost */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description DeadlineExceeded */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    deploy: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The script of the version. */
                    script: string;
                    /** @description Source map v3 of the script. */
                    sourceMap?: string | null;
                    /** @description For the ledger. */
                    note?: string | null;
                    /** @description Checks everything and changes nothing. */
                    dryRun?: boolean | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeployResult"];
                    "text/event-stream": string;
                    "application/x-ndjson": string;
                };
            };
            /** @description InvalidPackage, SchemaMismatch */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    uploadVersion: {
        parameters: {
            query?: {
                /** @description For the ledger. */
                note?: string;
                /** @description Checks everything and changes nothing. */
                dryRun?: "true" | "false";
                /** @description Moves the head of the branch to the version; `true` when absent. */
                promote?: "true" | "false";
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the package. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/gzip": string;
                "application/x-tar": string;
                "application/zstd": string;
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackageUpload"];
                    "text/event-stream": string;
                    "application/x-ndjson": string;
                };
            };
            /** @description InvalidPackage */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Cancelled */
            499: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded, NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listPackages: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        packages: components["schemas"]["Package"][];
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getPackage: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the package. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        /** @description sha-256 of the archive in hexadecimal. */
                        version: string;
                        /** @description The latest entry first. */
                        ledger: components["schemas"]["PackageLedgerEntry"][];
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getPackageVersion: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the package. */
                name: string;
                /** @description The digest, or 8 or more of its first digits. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackageVersion"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    promotePackage: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the package. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    version: string;
                    /** @description The branch that has the version. */
                    fromBranch?: string | null;
                    /** @description Key of that branch. */
                    fromBranchKey?: string | null;
                    /** @description For the ledger. */
                    note?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackageLedgerEntry"];
                };
            };
            /** @description InvalidPackage */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description VersionCollected */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    rollbackPackage: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the package. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description The version before when absent. */
                    version?: string | null;
                    /** @description For the ledger. */
                    note?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackageLedgerEntry"];
                };
            };
            /** @description InvalidPackage */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description VersionCollected */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    diffPackage: {
        parameters: {
            query: {
                from: string;
                to: string;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the package. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackageDiff"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getEnvironment: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: string;
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    setEnvironment: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description New values by name; null removes. */
                    changes: {
                        [key: string]: string | null;
                    };
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        changed: string[];
                    };
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    logs: {
        parameters: {
            query?: {
                /** @description Of streams: `false` ends it after the past lines. */
                follow?: "true" | "false";
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        entries: components["schemas"]["LogEntry"][];
                    };
                    "text/event-stream": string;
                    "application/x-ndjson": string;
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listSnapIns: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        snapIns: components["schemas"]["SnapIn"][];
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    installSnapIn: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    package: string;
                    /** @description The head of the branch when absent. */
                    version?: string | null;
                };
            };
        };
        responses: {
            /** @description The draft is made. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SnapIn"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description AlreadyExists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description VersionCollected */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getSnapIn: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the snap-in. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SnapIn"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    removeSnapIn: {
        parameters: {
            query?: {
                /** @description `true` goes on where a hook fails. */
                force?: "true" | "false";
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the snap-in. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        deleted: true;
                    };
                };
            };
            /** @description HookRefused, HookFailed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description SagaInProgress, WrongState */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    configureSnapIn: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the snap-in. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Values by name. */
                    inputs?: {
                        [key: string]: unknown;
                    };
                    /** @description Names of keyrings by name of the manifest. */
                    keyrings?: {
                        [key: string]: string;
                    };
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SnapIn"];
                };
            };
            /** @description HookRefused, HookFailed, InvalidInputs, KeyringMissing */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description SagaInProgress, WrongState */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    activateSnapIn: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the snap-in. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SnapIn"];
                    "text/event-stream": string;
                    "application/x-ndjson": string;
                };
            };
            /** @description HookRefused, HookFailed, KeyringMissing, InvalidInputs, UpgradeRefused, InvalidPackage */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description SagaInProgress, WrongState */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description VersionCollected */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    deactivateSnapIn: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the snap-in. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Goes on where a hook fails. */
                    force?: boolean | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SnapIn"];
                    "text/event-stream": string;
                    "application/x-ndjson": string;
                };
            };
            /** @description HookRefused, HookFailed, KeyringMissing, InvalidInputs, UpgradeRefused, InvalidPackage */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description SagaInProgress, WrongState */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description VersionCollected */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    upgradeSnapIn: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the snap-in. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    version: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SnapIn"];
                    "text/event-stream": string;
                    "application/x-ndjson": string;
                };
            };
            /** @description HookRefused, HookFailed, KeyringMissing, InvalidInputs, UpgradeRefused, InvalidPackage */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description SagaInProgress, WrongState */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description VersionCollected */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    openSnapInUser: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the snap-in. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description 1 to 200 visible ASCII characters. */
                    user: string;
                    /** @description Values by name; null takes one away. */
                    inputs?: {
                        [key: string]: unknown;
                    };
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SnapIn"];
                };
            };
            /** @description InvalidInputs */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WrongState, SagaInProgress */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    closeSnapInUser: {
        parameters: {
            query: {
                /** @description 1 to 200 visible ASCII characters. */
                user: string;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the snap-in. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        user: string;
                        /** @constant */
                        deleted: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description SagaInProgress */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    publishEvent: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Id of the snap-in, or name of its package. */
                    snapIn: string;
                    /** @description Id of the source, or its name. */
                    source: string;
                    /** @description 1 to 128 visible ASCII characters. */
                    type: string;
                    /** @description What handlers get; `{}` when absent. */
                    payload?: unknown;
                    /** @description Group within which order holds. */
                    syncId?: string | null;
                    /** @description When: `2030-01-31T09:30:00Z`. */
                    publishAt?: string | null;
                    /** @description Name of what waits. */
                    key?: string | null;
                    /** @description Changes the one with the key that waits. */
                    updateIfExists?: boolean | null;
                };
            };
        };
        responses: {
            /** @description The event is stored. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        key: string;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WrongState, AlreadyExists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description TooManyEventsWaiting */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    unscheduleEvent: {
        parameters: {
            query: {
                snapIn: string;
                source: string;
                key: string;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        key: string;
                        /** @constant */
                        deleted: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WrongState */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listWaiting: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        waiting: {
                            automation: string;
                            snapInId: string;
                            count: number;
                            reason: string;
                        }[];
                        events: {
                            /** @description Events whose last delivery has not ended. */
                            count: number;
                            /** @description From so many on, triggers from outside are refused with TooManyEventsWaiting. */
                            max: number;
                        };
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listDeadLetters: {
        parameters: {
            query?: {
                /** @description Id of the last one of the page before. */
                after?: string;
                limit?: number;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        deadLetters: components["schemas"]["DeadLetterSummary"][];
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getDeadLetter: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the dead letter. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetter"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    discardDeadLetter: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the dead letter. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        deleted: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    replayDeadLetter: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the dead letter. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It waits to be delivered. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        replayed: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description TooManyEventsWaiting */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listOperations: {
        parameters: {
            query?: {
                /** @description What to search for. */
                text?: string;
                type?: "action" | "trigger";
                /** @description `true` leaves out what is no skill of agents. */
                agentSkills?: "true" | "false";
                limit?: number;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        branch: string;
                        operations: components["schemas"]["OperationSummary"][];
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getOperation: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Slug of the operation, or `<namespace>/<slug>` as one part of the path (`%2F`). */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            /** @description OperationNotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    executeOperation: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description `respond-async` stores the call and answers 202. */
                Prefer?: string;
                /** @description Which calls go first when places are short; `normal` when absent. */
                "X-Plinth-Priority"?: "interactive" | "normal" | "background";
                /** @description Milliseconds from now until the caller gives up. */
                "X-Plinth-Deadline-Ms"?: string;
                /** @description As `idempotencyKey`. */
                "Idempotency-Key"?: string;
                /** @description The trace that the caller is in (W3C Trace Context). */
                traceparent?: string;
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Slug of the operation, or `<namespace>/<slug>` as one part of the path (`%2F`). */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Values of the port's fields. */
                    input?: {
                        [key: string]: unknown;
                    } | null;
                    /** @description `default` when absent. */
                    port?: string | null;
                    /** @description For whom; takes an admin key. */
                    userId?: string | null;
                    /**
                     * @description `async` stores the call and answers 202.
                     * @enum {unknown}
                     */
                    mode?: "sync" | "async" | null;
                    /**
                     * @description Which calls go first when places are short; `normal` when absent.
                     * @enum {unknown}
                     */
                    priority?: "interactive" | "normal" | "background" | null;
                    /** @description Milliseconds from now until the caller gives up. */
                    deadlineMs?: number | null;
                    /** @description A call with a key that was used before answers with the first outcome, also after a restart. */
                    idempotencyKey?: string | null;
                };
            };
        };
        responses: {
            /** @description The operation was executed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationOutcome"];
                    "application/x-protobuf": string;
                    "text/event-stream": string;
                    "application/x-ndjson": string;
                };
            };
            /** @description The call is stored durably. */
            202: {
                headers: {
                    /** @description Where the record of the call is. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuedOperation"];
                };
            };
            /** @description OperationNotExecutable, PortUnknown, ArgumentValidation */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description OperationForbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description OperationNotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WrongState, IdempotencyConflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description RateLimited, TooManyEventsWaiting */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Cancelled */
            499: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description ExpiredInQueue, RunnerLost */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description DeadlineExceeded */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    operationSchema: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Slug of the operation, or `<namespace>/<slug>` as one part of the path (`%2F`). */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Values of the port's fields. */
                    input?: {
                        [key: string]: unknown;
                    } | null;
                    /** @description `default` when absent. */
                    port?: string | null;
                    /** @description For whom; takes an admin key. */
                    userId?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        inputs: components["schemas"]["InputPort"][];
                        outputs: components["schemas"]["OutputPort"][];
                    };
                };
            };
            /** @description OperationNotExecutable, PortUnknown, ArgumentValidation */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description OperationForbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description OperationNotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WrongState, IdempotencyConflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description RateLimited, TooManyEventsWaiting */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Cancelled */
            499: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description ExpiredInQueue, RunnerLost */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description DeadlineExceeded */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    activateOperation: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Slug of the operation, or `<namespace>/<slug>` as one part of the path (`%2F`). */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Values of the port's fields. */
                    input?: {
                        [key: string]: unknown;
                    } | null;
                    /** @description `default` when absent. */
                    port?: string | null;
                    /** @description For whom; takes an admin key. */
                    userId?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        done: true;
                    };
                };
            };
            /** @description OperationNotExecutable, PortUnknown, ArgumentValidation, HookRefused, HookFailed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description OperationForbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description OperationNotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WrongState, IdempotencyConflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description RateLimited, TooManyEventsWaiting */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Cancelled */
            499: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description ExpiredInQueue, RunnerLost */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description DeadlineExceeded */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    deactivateOperation: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Slug of the operation, or `<namespace>/<slug>` as one part of the path (`%2F`). */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Values of the port's fields. */
                    input?: {
                        [key: string]: unknown;
                    } | null;
                    /** @description `default` when absent. */
                    port?: string | null;
                    /** @description For whom; takes an admin key. */
                    userId?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        done: true;
                    };
                };
            };
            /** @description OperationNotExecutable, PortUnknown, ArgumentValidation, HookRefused, HookFailed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description OperationForbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description OperationNotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WrongState, IdempotencyConflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description RateLimited, TooManyEventsWaiting */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Cancelled */
            499: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description ExpiredInQueue, RunnerLost */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description DeadlineExceeded */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    checkFlow: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The definition. */
                    definition: {
                        [key: string]: unknown;
                    };
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        findings: components["schemas"]["FlowFinding"][];
                    };
                };
            };
            /** @description FlowCheckTooLong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description ExpiredInQueue, RunnerLost */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FunctionTimeout */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listFlows: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        flows: components["schemas"]["Flow"][];
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    publishFlow: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The definition. */
                    definition: {
                        [key: string]: unknown;
                    };
                    /** @description For people. */
                    note?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        version: components["schemas"]["FlowVersion"] | null;
                        findings: components["schemas"]["FlowFinding"][];
                    };
                };
            };
            /** @description FlowCheckTooLong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FlowBeingDeleted */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description ExpiredInQueue, RunnerLost */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FunctionTimeout, LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    compareFlow: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The definition. */
                    definition: {
                        [key: string]: unknown;
                    };
                    /** @description At most so many. */
                    runs?: number | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        findings: components["schemas"]["FlowFinding"][];
                        runs: components["schemas"]["FlowComparedRun"][];
                        /** @description Runs were left out. */
                        isCut: boolean;
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    dryRunFlow: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Name; or give a `definition`. */
                    flow?: string | null;
                    version?: string | null;
                    /** @description The definition. */
                    definition?: {
                        [key: string]: unknown;
                    };
                    input?: unknown;
                    /** @description When the run begins. */
                    now?: unknown;
                    /** @description Answers by node: `{output}`, `{error}`, `late`, `run` (code alone), or a list of them. */
                    mocks?: {
                        [key: string]: unknown;
                    };
                    /** @description Signals and the like: `{after, signal, payload}`, `{after, do}`. */
                    events?: unknown[];
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        report: components["schemas"]["FlowDryReport"] | null;
                        steps: components["schemas"]["FlowStep"][];
                        /** @description What code printed. */
                        logs: components["schemas"]["LogLine"][];
                        findings: components["schemas"]["FlowFinding"][];
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    importFlow: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    document: {
                        [key: string]: unknown;
                    };
                    note?: string | null;
                    /** @description Only checks. */
                    dryRun?: boolean | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        imported: boolean;
                        version: components["schemas"]["FlowVersion"] | null;
                        findings: components["schemas"]["FlowFinding"][];
                    };
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    exportFlow: {
        parameters: {
            query?: {
                /** @description `head` when absent. */
                version?: string;
                /** @description Id of a run whose history goes along; may be repeated. */
                run?: string;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the flow. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowDocument"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getFlowTests: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the flow. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description A file of tests, or null. */
                        tests: unknown;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    setFlowTests: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the flow. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A file of tests. */
                    tests: {
                        [key: string]: unknown;
                    };
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        findings: components["schemas"]["FlowFinding"][];
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    uploadFlowBundle: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/zstd": string;
                "application/gzip": string;
                "application/x-tar": string;
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowBundle"];
                };
            };
            /** @description InvalidBundle */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Cancelled */
            499: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getFlowBundle: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowBundle"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getFlow: {
        parameters: {
            query?: {
                /** @description Digest; that of new runs when absent. */
                version?: string;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the flow. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowDefinition"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    deleteFlow: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the flow. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        /** @constant */
                        deleted: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FlowHasRuns */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getFlowAddress: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the flow. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowAddress"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    renewFlowAddress: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the flow. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowAddress"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    switchFlow: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the flow. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    isOn: boolean;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        isOn: boolean;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    startFlow: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Name of the flow. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description What its expressions see as `trigger`. */
                    input?: unknown;
                    waitMs?: number | null;
                    /** @description A second start with the key is the same run. */
                    idempotencyKey?: string | null;
                };
            };
        };
        responses: {
            /** @description It has ended, or waits, or the time is over. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowRunDetail"];
                };
            };
            /** @description It is stored and goes on by itself. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowRun"];
                };
            };
            /** @description FlowFilterFailed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FlowRunRefused, FlowFiltered */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listFlowRuns: {
        parameters: {
            query?: {
                /** @description Runs of this flow alone. */
                flow?: string;
                /** @description Runs with one of these statuses, with commas between them. */
                status?: string;
                /** @description Code of the reason why they wait, or of their error. */
                reason?: string;
                /** @description `true`: those alone that have something to do which nobody does, or a time that is past by more than a minute. */
                stuck?: string;
                /** @description `next` of the page before, or the id of the last run that is known. */
                after?: string;
                /** @description At most this many. */
                limit?: string;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        runs: components["schemas"]["FlowRun"][];
                        /** @description Where older ones are. */
                        next: string | null;
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getFlowRun: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowRunShown"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getFlowRunState: {
        parameters: {
            query?: {
                /** @description Cursor of an event. */
                after?: string;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowRunState"];
                    "text/event-stream": string;
                    "application/x-ndjson": string;
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    changeFlowRuns: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    filter: {
                        flow?: string | null;
                        status?: ("running" | "waiting" | "paused" | "undoing" | "completed" | "failed" | "cancelled")[] | null;
                        /** @description Code of the reason why it waits, or of its error. */
                        reason?: string | null;
                        /** @description Digest, or its beginning. */
                        version?: string | null;
                        /** @description A time, as text or in milliseconds. */
                        startedAfter?: unknown;
                        /** @description A time, as text or in milliseconds. */
                        startedBefore?: unknown;
                    };
                    action: {
                        /** @enum {unknown} */
                        kind: "cancel" | "pause" | "resume" | "retry" | "signal" | "rerun" | "move";
                        /** @description Of `cancel` and `pause`. */
                        reason?: string | null;
                        /** @description Of `retry`; where each run failed when absent. */
                        node?: string | null;
                        /** @description Of `retry` and `rerun`. */
                        input?: unknown;
                        /** @description Of `signal`. */
                        name?: string | null;
                        /** @description Of `signal`. */
                        payload?: unknown;
                        /** @description Of `move`: a version. */
                        to?: string | null;
                    };
                    /** @description From the answer before. */
                    id?: string | null;
                    /** @description `next` of the answer before. */
                    after?: string | null;
                    /** @description Runs of this slice. */
                    max?: number | null;
                    /** @description Only counts. */
                    dryRun?: boolean | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowRunChanges"];
                };
            };
            /** @description FlowRunRefused */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    moveFlowRun: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description `head`, the number of a publication, or a digest or its beginning. */
                    to: string;
                    /** @description Only says whether it fits. */
                    dryRun?: boolean | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        version: string;
                        moved: boolean;
                        findings: components["schemas"]["FlowFinding"][];
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FlowRunRefused, FlowVersionUnfit */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    rerunFlowRun: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description In place of what the run was given. */
                    input?: unknown;
                    idempotencyKey?: string | null;
                };
            };
        };
        responses: {
            /** @description The new run is stored. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlowRun"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FlowRunRefused */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getFlowHistory: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                after?: string;
                /** @description At most this many. */
                limit?: string;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        steps: components["schemas"]["FlowStep"][];
                        /** @description There is more after this many. */
                        next: number | null;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getFlowValue: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                id: string;
                /** @description As `stored` tells it. */
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The bytes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getFlowLogs: {
        parameters: {
            query?: {
                /** @description `cursor` of the last entry of the page before. */
                after?: string;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        steps: {
                            /** @description Of the step. */
                            key: string;
                            attempt: number;
                            node: string;
                            lines: {
                                level: string;
                                text: string;
                                /** @description Milliseconds since 1970. */
                                atMs: number;
                            }[];
                            /** @description Lines beyond the limits. */
                            dropped: number;
                            cursor: string;
                        }[];
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    signalFlowRun: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    payload?: unknown;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        changed: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FlowRunRefused */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    cancelFlowRun: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description For people. */
                    reason?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        changed: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FlowRunRefused */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    pauseFlowRun: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description For people. */
                    reason?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        changed: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FlowRunRefused */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    resumeFlowRun: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        changed: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FlowRunRefused */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    retryFlowRun: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    node: string;
                    /** @description In place of what its node would be given. */
                    input?: unknown;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        changed: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FlowRunRefused */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    answerFlowStep: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description From `answers` of the run. */
                    token: string;
                    output?: unknown;
                    /** @description The step fails with it. */
                    error?: {
                        code: string;
                        message: string;
                    } | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        answered: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description AnswerRefused, FlowRunRefused */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listCommands: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        commands: components["schemas"]["Command"][];
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    runCommand: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description A call with a key that was used before answers with the first outcome. */
                "Idempotency-Key"?: string;
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                namespace: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Id of the object at which it was typed. */
                    object: string;
                    /** @description What was typed behind the command. */
                    parameters?: string | null;
                    /** @description The user who acts: 1 to 300 visible ASCII characters. */
                    user: string;
                    surface?: string | null;
                    /** @description In place of the header. */
                    idempotencyKey?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvocationOutcome"];
                };
            };
            /** @description FlowFilterFailed, ArgumentValidation */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WrongState, FlowRunRefused, FlowFiltered, IdempotencyConflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description RateLimited, TooManyEventsWaiting */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Cancelled */
            499: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description ExpiredInQueue, RunnerLost */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description DeadlineExceeded */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    runSnapKitAction: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description A call with a key that was used before answers with the first outcome. */
                "Idempotency-Key"?: string;
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Id of the snap-in. */
                    snapIn: string;
                    /** @description Name in the manifest. */
                    action: string;
                    element?: components["schemas"]["SnapKitElement"];
                    elements?: components["schemas"]["SnapKitElement"][];
                    /** @description What was shown. */
                    body?: {
                        [key: string]: unknown;
                    };
                    context?: {
                        [key: string]: unknown;
                    };
                    /** @description The user who acts: 1 to 300 visible ASCII characters. */
                    user: string;
                    /** @description In place of the header. */
                    idempotencyKey?: string | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvocationOutcome"];
                };
            };
            /** @description The actions are stored durably. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        invocations: string[];
                    };
                };
            };
            /** @description ArgumentValidation */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WrongState, IdempotencyConflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description RateLimited, TooManyEventsWaiting */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Cancelled */
            499: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description ExpiredInQueue, RunnerLost */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description DeadlineExceeded */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description ReturnsValidation, FunctionError, FunctionTimeout, NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    initializeSnapKit: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Id of the snap-in. */
                    snapIn: string;
                    /** @description Name in the manifest; either this or `configuration`. */
                    component?: string | null;
                    /** @enum {unknown} */
                    configuration?: "organization" | "user" | null;
                    /** @description Id of the object at which it is shown. */
                    object?: string | null;
                    /** @description The user who acts: 1 to 300 visible ASCII characters. */
                    user: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        snap_kit_body: unknown;
                        /** @description Whose action the elements call. */
                        snap_kit_action_name: string | null;
                    };
                };
            };
            /** @description ArgumentValidation */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WrongState, IdempotencyConflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description RateLimited, TooManyEventsWaiting */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Cancelled */
            499: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description ExpiredInQueue, RunnerLost */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description DeadlineExceeded */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description ReturnsValidation, FunctionError, FunctionTimeout, NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listSyncImports: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        imports: components["schemas"]["SyncImport"][];
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listSyncUnits: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        units: components["schemas"]["SyncUnit"][];
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    createSyncUnit: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Id of the snap-in. */
                    snapIn: string;
                    /** @description Slug of the import. */
                    import: string;
                    /** @description Name of a keyring of the organisation. */
                    keyring: string;
                    external?: {
                        id: string;
                        name?: string | null;
                    };
                    objects?: {
                        [key: string]: unknown;
                    };
                };
            };
        };
        responses: {
            /** @description The unit is made. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncUnit"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getSyncUnit: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the sync unit. */
                unit: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncUnitWithRuns"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    removeSyncUnit: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the sync unit. */
                unit: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        removed: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description SyncInProgress */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    chooseSyncUnit: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the sync unit. */
                unit: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    external: {
                        id: string;
                        name?: string | null;
                    };
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncUnit"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description SyncInProgress */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    startSyncRun: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the sync unit. */
                unit: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description `initial` when absent.
                     * @enum {unknown}
                     */
                    mode?: "initial" | "incremental" | "loading" | null;
                    /** @description Joins the event's context. */
                    context?: {
                        [key: string]: unknown;
                    };
                    /** @description What to load, by type of item. */
                    items?: {
                        [key: string]: unknown[];
                    };
                    /** @description A run whose items are loaded. */
                    fromRun?: string | null;
                };
            };
        };
        responses: {
            /** @description The run is stored. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncRun"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description SyncInProgress, WrongState */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getSyncRun: {
        parameters: {
            query?: {
                /** @description `true` answers when the run has ended or waits for a choice, or after 25 s. */
                wait?: "true" | "false";
                /** @description Calls after the one with this number. */
                afterCall?: number;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncRunWithCalls"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    cancelSyncRun: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncRun"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description SyncRunEnded */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listSyncArtefacts: {
        parameters: {
            query?: {
                /** @description Id of the last one of the page before. */
                after?: string;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        artefacts: components["schemas"]["SyncArtefact"][];
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getSyncArtefact: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                run: string;
                /** @description Id of the artefact. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The bytes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listSyncItems: {
        parameters: {
            query?: {
                /** @description Of items. */
                type?: string;
                /** @description `next` of the page before. */
                after?: string;
                limit?: number;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the run. */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            type: string;
                            /** @description Id of the artefact. */
                            artefact: string;
                            /** @description As the package wrote it. */
                            item: unknown;
                        }[];
                        /** @description What the next page is asked for with. */
                        next: string | null;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listTenants: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        tenants: components["schemas"]["Tenant"][];
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    createTenant: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    /** @description Whether public functions need a key with the scope `invoke`. */
                    requireKey?: boolean | null;
                };
            };
        };
        responses: {
            /** @description The tenant is made. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedTenant"];
                };
            };
            /** @description AlreadyExists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    changeTenant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Whether public functions need a key with the scope `invoke`. */
                    requireKey: boolean;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    deleteTenant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        /** @constant */
                        deleted: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        keys: components["schemas"]["Key"][];
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    createKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    scopes: components["schemas"]["KeyScope"][];
                    /** @description For people. */
                    name?: string | null;
                    expiresInDays?: number | null;
                    /** @description In place of `expiresInDays`. */
                    expiresMs?: number | null;
                };
            };
        };
        responses: {
            /** @description The key is made. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedKey"];
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    revokeKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        revoked: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listKeyrings: {
        parameters: {
            query?: {
                /** @description Those of one user. */
                user?: string;
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        keyrings: components["schemas"]["Keyring"][];
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    createKeyring: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    type: string;
                    /** @description For one user; for the organisation when absent. */
                    user?: string | null;
                    /** @description The secret itself, or the values of the type's fields by id. */
                    fields: {
                        [key: string]: string;
                    };
                };
            };
        };
        responses: {
            /** @description The keyring is made. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Keyring"];
                };
            };
            /** @description KeyringTypeWrong, ToolFailed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description AlreadyExists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description KeyringRefused */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description KeyringUnavailable */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded, FetchRefused, FetchFailed, NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getKeyring: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the keyring. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Keyring"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    changeKeyring: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the keyring. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Id of the one that the keyring is for. */
                    organization: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Keyring"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    revokeKeyring: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description Id of the keyring. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        revoked: true;
                    };
                };
            };
            /** @description KeyringTypeWrong, ToolFailed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description KeyringRefused */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description KeyringUnavailable */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FetchRefused, FetchFailed, NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    startOauth: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    type: string;
                    /** @description For one user; for the organisation when absent. */
                    user?: string | null;
                    scopes?: string[];
                    /** @description The secret itself, or the values of the type's fields by id. */
                    fields?: {
                        [key: string]: string;
                    };
                };
            };
        };
        responses: {
            /** @description The keyring is pending. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        /** @description Where to send the user's browser. */
                        authorizeUrl: string;
                        /** @description Where it comes back to. */
                        redirectUri: string;
                    };
                };
            };
            /** @description KeyringTypeWrong, ToolFailed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description AlreadyExists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description KeyringRefused */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description KeyringUnavailable */
            503: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded, FetchRefused, FetchFailed, NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    finishOauth: {
        parameters: {
            query?: {
                state?: string;
                code?: string;
                error?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keyring is active. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The sign-in failed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    rotateKeyrings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        keyrings: number;
                    };
                };
            };
            /** @description KeyringKeyMissing, KeyringUnreadable */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listBranches: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        branches: components["schemas"]["Branch"][];
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    createBranch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description 1 to 63 lower-case letters, digits, `-`, `_` and `.`. */
                    name: string;
                    /** @description The branch whose data and heads it starts with; empty when absent. */
                    from?: string | null;
                    at?: number | string | null;
                    /** @description Copies the environment variables too, which are secrets often. */
                    copyEnvironment?: boolean | null;
                };
            };
        };
        responses: {
            /** @description The branch is made. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedBranch"];
                };
            };
            /** @description SnapshotTooOld */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description AlreadyExists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description LimitExceeded */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    deleteBranch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        /** @constant */
                        deleted: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    rotateBranchKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        /** @description Shown this once. */
                        key: string;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    listHeadSnapshots: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        /** @description The latest first. */
                        snapshots: {
                            /** @description UTC, `2026-01-31`. */
                            day: string;
                            /** @description Milliseconds since 1970. */
                            atMs: number;
                            /** @description By package; the branch's own functions under the empty name. */
                            heads: {
                                [key: string]: {
                                    version: string;
                                    seq: number;
                                };
                            };
                        }[];
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getLimits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantLimits"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    setLimits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    functions?: {
                        /** @description Path of a function, or its beginning with `*` behind it. */
                        function: string;
                        rate?: {
                            perSecond: number;
                            burst?: number | null;
                        } | null;
                        /** @description How many run at the same time; more of them wait. */
                        concurrency?: number | null;
                        cpuMs?: number | null;
                        wallMs?: number | null;
                        memoryBytes?: number | null;
                        resultBytes?: number | null;
                    }[];
                    rate?: {
                        perSecond: number;
                        burst?: number | null;
                    } | null;
                    /** @description How many run at the same time; more of them wait. */
                    concurrency?: number | null;
                    calls?: {
                        cpuMs?: number | null;
                        wallMs?: number | null;
                        memoryBytes?: number | null;
                        resultBytes?: number | null;
                    };
                    budget?: {
                        /** @enum {unknown} */
                        period?: "day" | "month" | null;
                        amount: number;
                        /** @description Share of the amount. */
                        warnAt?: number | null;
                        /** @description Share of the amount. */
                        throttleAt?: number | null;
                        /**
                         * @description What happens when the whole amount is spent.
                         * @enum {unknown}
                         */
                        whenSpent?: "degrade" | "refuse" | null;
                    } | null;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantLimits"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getUsage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {unknown} */
                        stage: "ok" | "warn" | "throttle" | "degrade" | "refuse";
                        /** @description In the period of the budget. */
                        spent: number;
                        budget: components["schemas"]["Budget"] | null;
                        /** @description Of the current month. */
                        days: {
                            /** @description UTC, `2026-01-31`. */
                            day: string;
                            cost: number;
                            calls: number;
                            executionMs: number;
                            cpuMs: number;
                            gibSeconds: number;
                            egressBytes: number;
                        }[];
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "ok";
                        /** @description Isolation tier of the host. */
                        tier: number;
                        packages: {
                            /** @description Where packages run. */
                            provider: string;
                            tier: number;
                        };
                        version: string;
                        uptimeMs: number;
                        runners: {
                            all: number;
                            warm: number;
                            busy: number;
                            memoryBytes: number;
                        };
                    };
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Text for Prometheus. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    backup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Absolute path of a new file on the host's machine; below the data folder when absent. */
                    path?: string;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Where the copy is; the folder of the blobs is beside it. */
                        path: string;
                        /** @description The moment that it holds. */
                        ts: number;
                    };
                };
            };
            /** @description AlreadyExists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getOpenApi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret part of the address, which is the right to send. */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the policy says; other statuses too. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WebhookRefused */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description TooManyEventsWaiting, RateLimited */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WebhookFailed */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    postWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret part of the address, which is the right to send. */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "*/*": unknown;
            };
        };
        responses: {
            /** @description What the policy says; other statuses too. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WebhookRefused */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description TooManyEventsWaiting, RateLimited */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WebhookFailed */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getEventSource: {
        parameters: {
            query: {
                /** @description The secret part of the address, which is the right to send. */
                id: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the policy says; other statuses too. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WebhookRefused */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description TooManyEventsWaiting, RateLimited */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WebhookFailed */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    postEventSource: {
        parameters: {
            query: {
                /** @description The secret part of the address, which is the right to send. */
                id: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "*/*": unknown;
            };
        };
        responses: {
            /** @description What the policy says; other statuses too. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WebhookRefused */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description TooManyEventsWaiting, RateLimited */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WebhookFailed */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getFlowHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret part of the address, which is the right to start the flow. */
                address: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the run or the policy says; other statuses too. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description FlowFilterFailed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WebhookRefused */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description RateLimited */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WebhookFailed */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FlowRunFailed, NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    postFlowHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret part of the address, which is the right to start the flow. */
                address: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "*/*": unknown;
            };
        };
        responses: {
            /** @description What the run or the policy says; other statuses too. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description FlowFilterFailed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WebhookRefused */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description RateLimited */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description WebhookFailed */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description FlowRunFailed, NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getFlowAnswer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description From the address that was given; it is the right to answer, once. */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The question. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                    "text/html": string;
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description AnswerRefused, FlowRunRefused */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    postFlowAnswer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description From the address that was given; it is the right to answer, once. */
                token: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": unknown;
                "application/x-www-form-urlencoded": unknown;
            };
        };
        responses: {
            /** @description The answer is durable. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                    "text/html": string;
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description AnswerRefused, FlowRunRefused */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    postScriptReport: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    success: boolean;
                    /** @description The run. */
                    workflow_log_id: string;
                    /** @description The node. */
                    script_api_name: string;
                    /** @description Name of the context. */
                    s3_key: string;
                    result?: unknown;
                    /** @description Where it failed. */
                    error?: string | null;
                    logs?: unknown[];
                    execution_time_ms?: number;
                };
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        reported: true;
                    };
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description AnswerRefused, FlowRunRefused */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    postEmail: {
        parameters: {
            query?: {
                /** @description The sender that the receiving server was told; empty for bounces. */
                from?: string;
                /** @description The receivers that it was told. */
                to?: string[];
            };
            header?: never;
            path: {
                /** @description The secret part of the address, which is the right to send. */
                token: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "message/rfc822": string;
            };
        };
        responses: {
            /** @description The email is stored. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Id of the event. */
                        id: string;
                        /** @description False when it came before. */
                        isNew: boolean;
                    };
                };
            };
            /** @description BudgetExceeded */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description EmailRefused */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description TooManyEventsWaiting, RateLimited */
            429: {
                headers: {
                    /** @description Seconds after which the same request may succeed. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description NotAvailable */
            560: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
    getInboundArtefact: {
        parameters: {
            query?: {
                /** @description The branch meant; `main` when absent. */
                branch?: components["parameters"]["Branch"];
            };
            header?: {
                /** @description The branch meant, in place of `?branch=`. */
                "X-Plinth-Branch"?: components["parameters"]["BranchHeader"];
                /** @description Key of the branch; every branch but `main` asks for it. */
                "X-Plinth-Branch-Key"?: components["parameters"]["BranchKey"];
            };
            path: {
                /** @description As the event has it. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file, with the type that it came with. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description NotFound */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Refused"];
        };
    };
}
