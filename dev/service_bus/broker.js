// Stands in for a namespace of Azure Service Bus, as far as a sender sees one: AMQP 1.0 over TLS, SASL, a token put
// to $cbs, a link to a queue or topic, transfers that are settled. It speaks by rhea, as Azure's own SDK for
// JavaScript does, and shares no code with the SDK for Python that is tested against it.
//
//     node broker.js CERTIFICATE KEY TOKEN
//
// It takes TOKEN alone, writes what it sees as a line of JSON each, and the port first. What the name of a queue
// begins with says how it behaves (see ENTITIES); any other name takes what comes.
'use strict';

const fs = require('node:fs');
const rhea = require('rhea');

const [certificate, key, token] = process.argv.slice(2);
const taken = new Set();

const refuse = (condition) => ({ attach: condition });
const reject = (condition) => ({ transfer: (delivery) => delivery.reject(error(condition)) });
const ENTITIES = {
    'missing': refuse('amqp:not-found'),
    'forbidden': refuse('amqp:unauthorized-access'),
    'disabled': refuse('com.microsoft:entity-disabled'),
    'elsewhere': refuse('amqp:link:redirect'),
    'unlike': refuse('amqp:not-allowed'),
    'full': reject('amqp:resource-limit-exceeded'),
    'busy': reject('com.microsoft:server-busy'),
    'slow': reject('com.microsoft:timeout'),
    'narrow': reject('amqp:link:message-size-exceeded'),
    'odd': reject('amqp:internal-error'),
    'hanging': { transfer: () => {} },
    'released': { transfer: (delivery) => delivery.release() },
    // The message is kept, and nobody is told: it comes again.
    'dying': {
        transfer: (delivery, connection, message) => {
            if (taken.has(message.message_id)) return delivery.accept();
            taken.add(message.message_id);
            connection.socket.destroy();
        },
    },
    // It takes each message, and waits for no other.
    'leaving': {
        transfer: (delivery, connection) => {
            delivery.accept();
            setTimeout(() => { connection.socket.destroy(); tell('left'); }, 20);
        },
    },
    'closing': { transfer: (_, connection) => connection.close(error('amqp:connection:forced')) },
};
const ACCEPTS = { transfer: (delivery) => delivery.accept() };

// The SDK takes a link for refused unless both its ends are named.
const echo = (link) => {
    const { source, target } = link.remote.attach;
    link.set_source({ address: source.address });
    link.set_target({ address: target.address });
};
// All three parts: the SDK reads no error that has fewer.
// The description repeats a secret, as a namespace might.
const error = (condition) => ({
    condition,
    description: `no, not with ${token}`,
    info: { hostname: 'elsewhere.example', port: 5671 },
});
const tell = (what, rest) => fs.writeSync(1, JSON.stringify({ what, ...rest }) + '\n');
const behaviour = (name) => ENTITIES[Object.keys(ENTITIES).find((word) => name.startsWith(word))] || ACCEPTS;

const container = rhea.create_container({ id: 'stand-in' });
container.sasl_server_mechanisms.enable_anonymous();

container.on('connection_open', ({ connection }) => tell('connection', { host: connection.remote.open.hostname }));
container.on('connection_close', () => tell('goodbye'));
container.on('receiver_open', ({ receiver, connection }) => {
    const name = receiver.remote.attach.target.address;
    if (name === '$cbs') return echo(receiver);
    const entity = name.replace(/^amqps?:\/\/[^/]*\//, '');
    receiver.entity = entity;
    tell('link', { entity, allowed: connection.allowed === true });
    const condition = connection.allowed ? behaviour(entity).attach : 'amqp:unauthorized-access';
    if (!condition) return echo(receiver);
    return receiver.close(error(condition));
});
container.on('sender_open', ({ sender }) => echo(sender));
container.on('message', ({ message, delivery, receiver, connection }) => {
    if (receiver.remote.attach.target.address === '$cbs') return answerToken(message, connection);
    const body = message.body && message.body.content ? message.body.content.toString() : message.body;
    const { message_id, subject, content_type, group_id, application_properties } = message;
    tell('message', {
        entity: receiver.entity, message_id, subject, content_type, group_id, application_properties, body,
    });
    return behaviour(receiver.entity).transfer(delivery, connection, message);
});
for (const quiet of ['disconnected', 'error', 'connection_error', 'protocol_error', 'session_error', 'receiver_error']) {
    container.on(quiet, (context) => tell(quiet, { error: String(context.error || context.message || '') }));
}

function answerToken(message, connection) {
    const { type, name, operation } = message.application_properties;
    connection.allowed = operation === 'put-token' && type === 'jwt' && message.body === token;
    tell('token', { name, type, allowed: connection.allowed });
    const answers = connection.find_sender((sender) => sender.remote.attach.source.address === '$cbs');
    answers.send({
        correlation_id: message.message_id,
        application_properties: {
            'status-code': rhea.types.wrap_int(connection.allowed ? 202 : 401),
            'status-description': connection.allowed ? 'Accepted' : 'Unauthorized',
        },
    });
}

const server = container.listen({
    transport: 'tls', host: '127.0.0.1', port: 0, cert: fs.readFileSync(certificate), key: fs.readFileSync(key),
    receiver_options: { autoaccept: false, autosettle: true },
});
server.on('tlsClientError', (error) => tell('no_tls', { error: String(error.code) }));
server.on('listening', () => tell('listening', { port: server.address().port }));
