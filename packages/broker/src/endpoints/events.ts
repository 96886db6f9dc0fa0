/** `POST /events/:provider` (RFC 8935, and Apple's own way): something happened to a person's account at their provider. */
import type { EndpointPlan } from '../doors/endpoint.ts';
import { providerAt, receiveSignal, type SignalRooms } from '../doors/signals.ts';
import { contentTypeOf, readText } from '../http/body.ts';
import { accepted, eventError } from '../http/respond.ts';
import { Refusal } from '../protocol/errors.ts';

export const eventsEndpoint = (rooms: SignalRooms): EndpointPlan => ({
  name: 'events',
  methods: ['POST'],
  refuse: (refusal) => eventError(refusal),
  async handle(visit) {
    const { id, events } = providerAt(rooms, visit.url);
    if (events === undefined) throw new Refusal('signal.provider');
    if (contentTypeOf(visit.request) !== events.contentType) throw new Refusal('signal.content-type');
    const body = await readText(visit.request);
    // One that came before was delivered (RFC 8935 §2.2): saying otherwise, it would come again.
    await receiveSignal(rooms, visit, id, () => events.read(body, rooms.providerIo));
    return accepted();
  },
});
