import { exploreSchedules } from './model/schedules.js';

exploreSchedules('semaphore');
exploreSchedules('latch');
