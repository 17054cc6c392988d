// The environment variables of adapter-node, with its defaults.
const UNITS = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** "512K" → 524288; "Infinity" is allowed. */
function bytes(text) {
	const unit = UNITS[text.at(-1)?.toUpperCase()];
	return unit ? Number(text.slice(0, -1)) * unit : Number(text);
}

const env = process.env;

export const settings = {
	host: env.HOST ?? '0.0.0.0',
	port: env.PORT ?? '3000',
	socketPath: env.SOCKET_PATH,
	origin: env.ORIGIN,
	protocolHeader: (env.PROTOCOL_HEADER ?? '').toLowerCase(),
	hostHeader: (env.HOST_HEADER ?? '').toLowerCase(),
	portHeader: (env.PORT_HEADER ?? '').toLowerCase(),
	addressHeader: (env.ADDRESS_HEADER ?? '').toLowerCase(),
	bodyLimit: bytes(env.BODY_SIZE_LIMIT ?? '512K'),
	shutdownSeconds: Number.parseInt(env.SHUTDOWN_TIMEOUT ?? '30', 10),
	handedOver: Number(env.LISTEN_PID) === process.pid && env.LISTEN_FDS === '1'
};

if (Number.isNaN(settings.bodyLimit)) {
	throw new Error(`BODY_SIZE_LIMIT is not a size: ${env.BODY_SIZE_LIMIT}`);
}
